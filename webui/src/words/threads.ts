// The words of threads.

export const en = {
  "thread.title": "Thread",
  "thread.messages": "Messages of the thread",
  "thread.reply": "Reply in thread",
  "thread.replies": "Replies: {n}",
  "thread.none": "No replies yet",
  "thread.earlier": "Show earlier replies",
  "thread.gone": "There is no such message here.",
  "thread.line": "in a thread",
  "thread.foot": "{n} replies, last {time}",
  "thread.foot.one": "{n} reply, {time}",
  "thread.new": "{n} new",
};

export const zh: Record<keyof typeof en, string> = {
  "thread.title": "话题",
  "thread.messages": "话题中的消息",
  "thread.reply": "在话题中回复",
  "thread.replies": "{n} 条回复",
  "thread.none": "还没有回复",
  "thread.earlier": "显示更早的回复",
  "thread.gone": "这里没有这条消息。",
  "thread.line": "在话题中回复",
  "thread.foot": "{n} 条回复，最新 {time}",
  "thread.foot.one": "{n} 条回复，{time}",
  "thread.new": "{n} 条新回复",
};
