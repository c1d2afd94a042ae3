// The words of alerts in a room, and of the way to the console.

export const en = {
  "alerts.ack": "Acknowledge",
  "console.title": "Operators' console",
  "console.shut": "The console cannot be opened from this address.",
};

export const zh: Record<keyof typeof en, string> = {
  "alerts.ack": "确认告警",
  "console.title": "运维控制台",
  "console.shut": "无法从此地址打开控制台。",
};
