// The words of alerts in a room.

export const en = {
  "alerts.ack": "Acknowledge",
};

export const zh: Record<keyof typeof en, string> = {
  "alerts.ack": "确认告警",
};
