// Uploads a file with tus-js-client. Usage: tus.mjs MODULES ENDPOINT TOKEN FILE.
// Prints one line of JSON: the offset it went on from after a break (0 if there
// was none), how often it asked for it, and the id of the file.
import fs from "node:fs";
import { createRequire } from "node:module";

const [modules, endpoint, token, path] = process.argv.slice(2);
const tus = createRequire(modules + "/")("tus-js-client");

let resumed = 0;
let asked = 0;
let file = "";
const upload = new tus.Upload(fs.createReadStream(path), {
  endpoint,
  headers: { Authorization: "Bearer " + token },
  metadata: { filename: "大文件.bin", filetype: "application/octet-stream" },
  uploadSize: fs.statSync(path).size,
  chunkSize: 2 << 20,
  retryDelays: Array(60).fill(250),
  onAfterResponse(request, response) {
    if (request.getMethod() === "HEAD") {
      asked++;
      resumed = Number(response.getHeader("Upload-Offset"));
    }
    file = response.getHeader("Posthouse-File") || file;
  },
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess() {
    console.log(JSON.stringify({ resumed, asked, file }));
  },
});
upload.start();
