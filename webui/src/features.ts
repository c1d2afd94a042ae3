// Every feature of the chat beyond rooms, timeline and composer, one line each.

import type { Feature } from "./frame";
import { datesFeature } from "./dates";
import { devicesFeature } from "./devices";
import { directoryFeature } from "./directory";
import { journeyFeature } from "./journey";
import { membersFeature } from "./members";
import { messageKeysFeature } from "./messagekeys";
import { noticesFeature } from "./notices";
import { paletteFeature } from "./palette";
import { pinsFeature } from "./pins";
import { profileFeature } from "./profile";
import { settingsFeature } from "./room_settings";
import { roomKeysFeature } from "./roomkeys";
import { scheduledFeature } from "./scheduled";
import { slashFeature } from "./slash";
import { threadsFeature } from "./threads";
import { voiceFeature } from "./voice";

export const features: Feature[] = [
  datesFeature,
  threadsFeature,
  membersFeature,
  settingsFeature,
  pinsFeature,
  journeyFeature,
  directoryFeature,
  profileFeature,
  devicesFeature,
  messageKeysFeature,
  noticesFeature,
  paletteFeature,
  roomKeysFeature,
  scheduledFeature,
  slashFeature,
  voiceFeature,
];
