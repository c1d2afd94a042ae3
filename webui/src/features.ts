// Every feature of the chat beyond rooms, timeline and composer, one line each.

import type { Feature } from "./frame";
import { alertsFeature } from "./alerts";
import { consoleFeature } from "./console_link";
import { datesFeature } from "./dates";
import { devicesFeature } from "./devices";
import { directoryFeature } from "./directory";
import { hooksFeature } from "./hooks";
import { journeyFeature } from "./journey";
import { membersFeature } from "./members";
import { messageKeysFeature } from "./messagekeys";
import { noticesFeature } from "./notices";
import { notifyFeature } from "./notify";
import { appFeature } from "./offline";
import { paletteFeature } from "./palette";
import { pinsFeature } from "./pins";
import { profileFeature } from "./profile";
import { settingsFeature } from "./room_settings";
import { roomKeysFeature } from "./roomkeys";
import { scheduledFeature } from "./scheduled";
import { settingsPageFeature } from "./settings_page";
import { searchFeature } from "./search";
import { slashFeature } from "./slash";
import { threadsFeature } from "./threads";
import { voiceFeature } from "./voice";

export const features: Feature[] = [
  alertsFeature,
  appFeature,
  consoleFeature,
  datesFeature,
  threadsFeature,
  membersFeature,
  settingsFeature,
  notifyFeature,
  pinsFeature,
  journeyFeature,
  hooksFeature,
  directoryFeature,
  profileFeature,
  devicesFeature,
  messageKeysFeature,
  noticesFeature,
  paletteFeature,
  roomKeysFeature,
  scheduledFeature,
  settingsPageFeature,
  searchFeature,
  slashFeature,
  voiceFeature,
];
