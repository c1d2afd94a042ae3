// Making a square of what somebody chose as their picture.

const edge = 512; // px of the square that becomes the picture

// middle is the largest square in the middle of a picture.
export function middle(width: number, height: number): { x: number; y: number; edge: number } {
  const e = Math.min(width, height);
  return { x: Math.floor((width - e) / 2), y: Math.floor((height - e) / 2), edge: e };
}

// square cuts the middle out of a picture and makes it small.
export async function square(file: File): Promise<File> {
  const picture = await createImageBitmap(file);
  const cut = middle(picture.width, picture.height);
  const size = Math.max(1, Math.min(edge, cut.edge));
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const paper = canvas.getContext("2d");
  if (!paper || !cut.edge) throw new Error("no canvas");
  paper.fillStyle = "#fff"; // behind what is transparent
  paper.fillRect(0, 0, size, size);
  paper.imageSmoothingQuality = "high";
  paper.drawImage(picture, cut.x, cut.y, cut.edge, cut.edge, 0, 0, size, size);
  picture.close();
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.9));
  if (!blob) throw new Error("no picture");
  return new File([blob], "avatar.jpg", { type: "image/jpeg" });
}
