// Every feature of the chat beyond rooms, timeline and composer, one line each.

import type { Feature } from "./frame";
import { datesFeature } from "./dates";
import { messageKeysFeature } from "./messagekeys";
import { paletteFeature } from "./palette";
import { pinsFeature } from "./pins";
import { roomKeysFeature } from "./roomkeys";
import { slashFeature } from "./slash";
import { voiceFeature } from "./voice";

export const features: Feature[] = [
  datesFeature,
  messageKeysFeature,
  paletteFeature,
  pinsFeature,
  roomKeysFeature,
  slashFeature,
  voiceFeature,
];
