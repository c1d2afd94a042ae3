// Every feature of the chat beyond rooms, timeline and composer, one line each.

import type { Feature } from "./frame";
import { datesFeature } from "./dates";
import { messageKeysFeature } from "./messagekeys";
import { noticesFeature } from "./notices";
import { paletteFeature } from "./palette";
import { pinsFeature } from "./pins";
import { roomKeysFeature } from "./roomkeys";
import { scheduledFeature } from "./scheduled";
import { slashFeature } from "./slash";
import { voiceFeature } from "./voice";

export const features: Feature[] = [
  datesFeature,
  messageKeysFeature,
  noticesFeature,
  paletteFeature,
  pinsFeature,
  roomKeysFeature,
  scheduledFeature,
  slashFeature,
  voiceFeature,
];
