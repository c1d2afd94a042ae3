// The console's script. Its pages are made by the server and work without it;
// what it adds: parts of pages instead of whole ones (htmx), the stream of
// events, times in the reader's zone, dialogs, the palette and keys.
//
// A page's own script is a module with a start(root) that looks for its own
// elements; the list below starts it for the page and for every part that
// comes in later.

import "./policy";
import htmx from "../../vendor/htmx/htmx.esm.min.js";
import { startBoards } from "./board";
import { mount } from "./chart_mount";
import { startClosing } from "./closing";
import { startDialogs } from "./dialogs";
import { startKeys } from "./keys";
import { startFilters } from "./filter";
import { startForms, wireRequests } from "./requests";
import { startLive } from "./live";
import { startPalette } from "./palette";
import { startPresses } from "./press";
import { startQuery } from "./query";
import { startRules } from "./rules";
import { connect } from "./stream";
import { startTimes } from "./times";
import { startTrust } from "./trust";

const parts: ((root: ParentNode) => void)[] = [startTimes, startDialogs, startForms, mount, startBoards, startQuery, startFilters, startRules, startTrust];

function start(root: ParentNode): void {
  for (const part of parts) part(root);
}

wireRequests(start);
start(document);
startKeys();
startPresses(window);
startClosing();
startPalette();
startLive((e) => {
  htmx.process(e);
  start(e);
});
connect();
