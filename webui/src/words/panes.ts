// The words of the side panes and of the list of keys.

export const en = {
  "pane.close": "Close the side pane",
  "pins.title": "Pinned messages",
  "pins.none": "Nothing is pinned in this room. “Pin” in a message's menu puts it here.",
  "pins.jump": "Show in the timeline",
  "keys.title": "Keys",
  "keys.help": "Show the keys",
  "keys.closepane": "Close the side pane",
  "keys.focus": "Write a message",
  "keys.send": "Send",
  "keys.newline": "New line",
  "keys.cancel": "Close what is open",
  "room.menu": "Room menu",
};

export const zh: Record<keyof typeof en, string> = {
  "pane.close": "关闭侧栏",
  "pins.title": "置顶消息",
  "pins.none": "此房间没有置顶消息。在消息菜单中选择“置顶”即可放到这里。",
  "pins.jump": "在时间线中查看",
  "keys.title": "快捷键",
  "keys.help": "显示快捷键",
  "keys.closepane": "关闭侧栏",
  "keys.focus": "写消息",
  "keys.send": "发送",
  "keys.newline": "换行",
  "keys.cancel": "关闭当前打开的内容",
  "room.menu": "房间菜单",
};
