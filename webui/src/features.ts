// Every feature of the chat beyond rooms, timeline and composer, one line each.

import type { Feature } from "./frame";
import { pinsFeature } from "./pins";
import { slashFeature } from "./slash";

export const features: Feature[] = [
  pinsFeature,
  slashFeature,
];
