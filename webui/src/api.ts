// Made from the table of methods by `make generate`. Do not edit.

/** An account, room, device, department, invitation or file; opaque. */
export type ID = string;
/** One message; opaque. */
export type MessageID = string;

export type Role = "owner" | "admin" | "auditor" | "member";
export type MemberRole = "owner" | "moderator" | "member" | "reader";
export type RoomKind = "direct" | "group" | "channel" | "announcement" | "notes";
export type Kind = "parse_error" | "invalid_request" | "method_not_found" | "invalid_params" | "unauthenticated" | "forbidden" | "not_found" | "conflict" | "expired" | "too_large" | "quota_exceeded" | "rate_limited" | "unavailable" | "internal";
export type EventType = "message" | "edited" | "recalled" | "reaction" | "pinned" | "thread" | "read" | "room" | "joined" | "left" | "members" | "user" | "department" | "kv" | "devices" | "notice" | "scheduled" | "typing" | "presence" | "receipts" | "drain" | "reset";

/** No members. */
export type Empty = Record<string, never>;

/** Result of server.info. */
export interface ServerInfo {
  /** version */
  version: string;
  /** organisation */
  organisation: string;
  /** waiting for its first owner */
  setup: boolean;
  /** takes messages */
  ready: boolean;
  /** bytes of UTF-8 in a message, at most; longer text goes as a file */
  message_bytes: number;
  /** bytes of a file, at most */
  upload_bytes: number;
}

/** Params of setup.complete. */
export interface SetupParams {
  /** one-time token of the setup link */
  token: string;
  /** name shown to people */
  organisation: string;
  /** login of the owner */
  login: string;
  /** display name */
  name: string;
  /** 8-256 bytes */
  password: string;
  /** what this device is called */
  device_name?: string;
  /** log in with a cookie, for browsers */
  cookie?: boolean;
}

/** Result of setup.complete; result of session.login; result of session.me; result of invite.accept; result of user.token; result of session.authenticate. */
export interface Session {
  /** who is logged in */
  user: User;
  /** this device */
  device: ID;
  /** device token: Authorization: Bearer <token>; shown once */
  token?: string;
  /** unused until then it ends, ms */
  expires: number;
  /** in session.me, for auditors and above: where the operators' console is; absent when it cannot be opened from the caller's address */
  console?: string;
}

/** Data of event user. */
export interface User {
  /** account */
  id: ID;
  /** name to log in with and to mention */
  login: string;
  /** display name */
  name: string;
  /** owner, admin, auditor or member */
  role: Role;
  /** department */
  department?: ID;
  /** position in the organisation */
  title?: string;
  /** e-mail address */
  email?: string;
  /** phone number */
  phone?: string;
  /** picture, a file */
  avatar?: ID;
  /** a program, not a person */
  bot?: boolean;
  /** may not log in */
  disabled?: boolean;
  /** time, ms */
  created: number;
  /** a virtual user that tests the server; not in the directory, and in no figure about people */
  probe?: boolean;
}

/** Params of session.login. */
export interface LoginParams {
  /** login name, in any case */
  login: string;
  /** password */
  password: string;
  /** what this device is called */
  device_name?: string;
  /** browser, app or bot; default app */
  kind?: string;
  /** true: the token comes as an HttpOnly cookie and not in the result */
  cookie?: boolean;
}

/** Params of session.confirm. */
export interface ConfirmParams {
  /** the caller's password */
  password: string;
}

/** Result of session.confirm; result of session.logout; result of session.revoke; result of account.password; result of department.remove; result of organisation.rename; result of user.password; result of invite.revoke; result of room.leave; result of room.add; result of room.remove; result of room.role; result of message.edit; result of message.recall; result of message.react; result of message.pin; result of notice.confirm; result of notice.remind; result of notice.close; result of scheduled.remove; result of file.discard; result of kv.put; result of search.rebuild; result of hook.remove; result of import.open. */
export interface Done {
  /** journal position of the change; 0 = nothing had to change */
  position: number;
}

/** Params of session.devices. */
export interface UserOptional {
  /** account; the caller if absent */
  user?: ID;
}

/** Result of session.devices. */
export interface DeviceList {
  /** devices, newest first */
  devices: Device[];
}

export interface Device {
  /** device */
  id: ID;
  /** account */
  user: ID;
  /** what it calls itself */
  name: string;
  /** browser, app or bot */
  kind: string;
  /** address it logged in from */
  address?: string;
  /** time of login, ms */
  created: number;
  /** time it was last connected, ms */
  last_seen: number;
  /** has a live connection now */
  online: boolean;
  /** the device that asks */
  current?: boolean;
}

/** Params of session.revoke. */
export interface DeviceParam {
  /** device */
  device: ID;
}

/** Params of account.password. */
export interface PasswordParams {
  /** present password */
  old: string;
  /** new password, 8-256 bytes */
  new: string;
}

/** Params of account.update. */
export interface ProfileParams {
  /** display name */
  name?: string;
  /** position */
  title?: string;
  /** e-mail */
  email?: string;
  /** phone */
  phone?: string;
  /** a picture uploaded by the caller; empty removes it */
  avatar?: ID;
}

/** Result of account.update; result of user.create; result of user.update. */
export interface UserResult {
  /** account */
  user: User;
  /** journal position of the change */
  position?: number;
}

/** Params of invite.show. */
export interface InviteCode {
  /** secret of the link */
  code: string;
}

/** Result of invite.show. */
export interface InviteInfo {
  /** who invites */
  organisation: string;
  /** display name */
  inviter: string;
  /** time, ms */
  expires: number;
}

/** Params of invite.accept. */
export interface InviteAccept {
  /** secret of the link */
  code: string;
  /** wished login */
  login: string;
  /** display name */
  name: string;
  /** 8-256 bytes */
  password: string;
  /** device name */
  device_name?: string;
  /** as in session.login */
  cookie?: boolean;
}

/** Params of directory.list; params of user.list. */
export interface DirectoryParams {
  /** part of name or login, pinyin or initials */
  query?: string;
  /** only this department and those below */
  department?: ID;
  /** continue after this account */
  after?: ID;
  /** 1-500, default 100 */
  limit?: number;
}

/** Result of directory.list; result of directory.get; result of user.list. */
export interface UserList {
  /** accounts by name */
  users: User[];
  /** there are more */
  more?: boolean;
}

/** Params of directory.get. */
export interface UsersParam {
  /** up to 500 accounts */
  users: ID[];
}

/** Result of department.list. */
export interface DepartmentList {
  /** the whole tree */
  departments: Department[];
}

export interface Department {
  /** department */
  id: ID;
  /** department above; none at the top */
  parent?: ID;
  /** name */
  name: string;
  /** place among its siblings */
  order?: number;
  /** accounts in it and below, without disabled ones; in department.list only */
  people?: number;
}

/** Params of department.put. */
export interface DepartmentPut {
  /** absent: make a new one */
  id?: ID;
  /** department above */
  parent?: ID;
  /** 1-100 characters */
  name: string;
  /** place among its siblings */
  order?: number;
}

/** Result of department.put. */
export interface DepartmentResult {
  /** department */
  department: Department;
  /** journal position */
  position: number;
}

/** Params of department.remove. */
export interface DepartmentParam {
  /** department */
  department: ID;
}

/** Params of organisation.rename. */
export interface OrganisationName {
  /** name shown to people, 1-100 characters */
  name: string;
}

/** Params of user.create. */
export interface UserCreate {
  /** 1-64 of a-z 0-9 . _ - */
  login: string;
  /** display name */
  name: string;
  /** 8-256 bytes; absent for bots and accounts that log in later */
  password?: string;
  /** default member */
  role?: Role;
  /** department */
  department?: ID;
  /** position */
  title?: string;
  /** e-mail */
  email?: string;
  /** phone */
  phone?: string;
  /** a program */
  bot?: boolean;
  /** a virtual user; role member, made on the box itself only */
  probe?: boolean;
}

/** Params of user.update. */
export interface UserUpdate {
  /** account */
  user: ID;
  /** display name */
  name?: string;
  /** role */
  role?: Role;
  /** department */
  department?: ID;
  /** position */
  title?: string;
  /** e-mail */
  email?: string;
  /** phone */
  phone?: string;
  /** true ends all sessions at once */
  disabled?: boolean;
}

/** Params of user.password. */
export interface UserPassword {
  /** account */
  user: ID;
  /** new password, 8-256 bytes */
  password: string;
}

/** Params of user.token. */
export interface TokenCreate {
  /** account, usually a bot */
  user: ID;
  /** what the device is called */
  name: string;
}

/** Params of user.import. */
export interface ImportParams {
  /** UTF-8 CSV with a header: login,name,department,title,email,phone,role,password; department is a path like A/B */
  csv: string;
  /** only tell what would happen */
  dry_run?: boolean;
}

/** Result of user.import. */
export interface ImportResult {
  /** one per line */
  rows: ImportRow[];
  /** accounts made */
  created: number;
  /** accounts changed */
  updated: number;
  /** lines refused */
  errors: number;
  /** departments made */
  departments: number;
  /** nothing was changed */
  dry_run: boolean;
}

export interface ImportRow {
  /** line of the file */
  line: number;
  /** login */
  login: string;
  /** create, update, unchanged or error */
  action: string;
  /** why not, in the caller's language */
  reason?: string;
  /** made up for the new account; shown once */
  password?: string;
}

/** Params of invite.create. */
export interface InviteCreate {
  /** valid for 1-720 hours, default 72 */
  hours?: number;
  /** 1-1000, default 1 */
  uses?: number;
  /** put them there */
  department?: ID;
  /** rooms they join, at most 50 */
  rooms?: ID[];
  /** remark */
  note?: string;
}

/** Result of invite.create. */
export interface InviteResult {
  /** invitation */
  invite: Invite;
  /** journal position */
  position: number;
}

export interface Invite {
  /** invitation */
  id: ID;
  /** secret of the link; shown once */
  code?: string;
  /** link; shown once */
  url?: string;
  /** QR code of the link as a data: URL (PNG); shown once */
  qr?: string;
  /** account */
  created_by: ID;
  /** time, ms */
  created: number;
  /** time, ms */
  expires: number;
  /** how many may still use it */
  uses: number;
  /** how many did */
  used: number;
  /** department they are put in */
  department?: ID;
  /** rooms they join */
  rooms?: ID[];
  /** remark */
  note?: string;
}

/** Result of invite.list. */
export interface InviteList {
  /** invitations, newest first */
  invites: Invite[];
}

/** Params of invite.revoke. */
export interface InviteParam {
  /** invitation */
  invite: ID;
}

/** Result of room.list; result of room.discover; result of room.all. */
export interface RoomList {
  /** rooms of the caller, newest entry first */
  rooms: Room[];
  /** the list is true at this position */
  position: number;
}

export interface Room {
  /** room */
  id: ID;
  /** direct, group, channel, announcement or notes */
  kind: RoomKind;
  /** name; empty for direct rooms */
  name: string;
  /** what it is about */
  topic?: string;
  /** time, ms */
  created: number;
  /** account that made it */
  created_by?: ID;
  /** nobody can write any more */
  archived?: boolean;
  /** number of members */
  members: number;
  /** the other person of a direct room */
  peer?: ID;
  /** sequence number of the newest entry */
  head: number;
  /** journal position of the newest entry */
  position: number;
  /** newest entry */
  last?: Message;
  /** the caller's role; empty if not a member */
  my_role?: MemberRole;
  /** sequence number the caller has read up to */
  my_read: number;
  /** messages after my_read, derived */
  unread: number;
  /** unread messages that mention the caller */
  mentions_new?: number;
}

/** Data of event message; data of event edited; data of event recalled. */
export interface Message {
  /** opaque message id */
  id: MessageID;
  /** room */
  room: ID;
  /** number in the room, from 1, without gaps */
  seq: number;
  /** messages up to this one, without lines of the room itself */
  count: number;
  /** journal position */
  position: number;
  /** when it was stored, ms */
  time: number;
  /** author, or actor of a change */
  sender: ID;
  /** the sender's client key */
  key?: string;
  /** name to show instead of the sender's: a hook that may name its senders set it */
  as?: string;
  /** text in the Markdown subset, or the fallback of foreign */
  text?: string;
  /** sequence number of the message answered */
  reply_to?: number;
  /** sequence number of the thread's first message */
  thread?: number;
  /** people mentioned */
  mentions?: ID[];
  /** @all */
  mention_all?: boolean;
  /** attachments */
  files?: File[];
  /** payload of a bot or gateway */
  foreign?: Foreign;
  /** origin of a forwarded message */
  forwarded?: Forwarded;
  /** set when the room itself speaks */
  change?: Change;
  /** how often it was edited */
  edits?: number;
  /** last edit, ms */
  edited_at?: number;
  /** taken back for everyone */
  recalled?: Recalled;
  /** reactions */
  reactions?: Reaction[];
  /** pinned, ms */
  pinned_at?: number;
  /** who pinned it */
  pinned_by?: ID;
  /** messages in the thread it began */
  replies?: number;
  /** time of the newest of them, ms */
  last_reply?: number;
  /** the message answered, shortened */
  preview?: ReplyQuote;
  /** the notice that it shows */
  notice?: ID;
  /** brought over from another system, whose author and time it shows: tell nobody about it */
  imported?: boolean;
}

export interface File {
  /** file */
  id: ID;
  /** name, made safe */
  name: string;
  /** bytes */
  size: number;
  /** media type it is served with */
  type: string;
  /** hash of the content, hex */
  sha256: string;
  /** pixels, pictures */
  width?: number;
  /** pixels, pictures */
  height?: number;
  /** length of a voice note, ms */
  duration_ms?: number;
  /** recorded as a voice note */
  voice?: boolean;
  /** account that uploaded it */
  owner: ID;
  /** time, ms */
  created: number;
}

export interface Foreign {
  /** namespaced type, such as com.example.poll */
  type: string;
  /** any JSON value up to 16 KiB */
  payload: any;
}

export interface Forwarded {
  /** the original */
  message?: MessageID;
  /** who wrote it */
  sender: ID;
  /** when, ms */
  time: number;
}

export interface Change {
  /** created, joined, added, left, removed, role, renamed, topic, archived or restored */
  what: string;
  /** whom it concerns */
  users?: ID[];
  /** new role */
  role?: MemberRole;
  /** new name or topic */
  text?: string;
}

export interface Recalled {
  /** account */
  by: ID;
  /** time, ms */
  at: number;
}

export interface Reaction {
  /** emoji or short text, 1-32 bytes */
  emoji: string;
  /** who, in order */
  users: ID[];
}

export interface ReplyQuote {
  /** who wrote it */
  sender: ID;
  /** the first 120 characters */
  text: string;
}

/** Params of room.get; params of room.join; params of room.leave; params of room.pins; params of command.list; params of room.inspect. */
export interface RoomParam {
  /** room */
  room: ID;
}

/** Result of room.get; result of room.create; result of room.direct; result of room.update; result of room.join; result of room.inspect. */
export interface RoomResult {
  /** room */
  room: Room;
  /** journal position */
  position?: number;
}

/** Params of room.discover; params of room.all. */
export interface DiscoverParams {
  /** part of the name, pinyin or initials */
  query?: string;
  /** 1-200, default 50 */
  limit?: number;
}

/** Params of room.create. */
export interface RoomCreate {
  /** group, channel or announcement */
  kind: RoomKind;
  /** 1-100 characters */
  name: string;
  /** up to 500 characters */
  topic?: string;
  /** first members beside the caller */
  members?: ID[];
  /** client key (UUID): the same key again answers with the same room */
  key?: string;
}

/** Params of room.direct. */
export interface UserParam {
  /** account */
  user: ID;
}

/** Params of room.update. */
export interface RoomUpdate {
  /** room */
  room: ID;
  /** new name */
  name?: string;
  /** new topic */
  topic?: string;
  /** true: nobody can write */
  archived?: boolean;
}

/** Params of room.members. */
export interface MembersParams {
  /** room */
  room: ID;
  /** part of name or login, pinyin or initials */
  query?: string;
  /** only those with this role */
  role?: MemberRole;
  /** continue after this account */
  after?: ID;
  /** 1-1000, default 200 */
  limit?: number;
}

/** Result of room.members. */
export interface MemberList {
  /** members in the order of their IDs */
  members: RoomMember[];
  /** there are more */
  more?: boolean;
}

export interface RoomMember {
  /** account */
  user: ID;
  /** role in the room */
  role: MemberRole;
  /** time of joining, ms */
  since: number;
  /** sequence number read up to */
  read: number;
  /** time of that, ms */
  read_at?: number;
}

/** Params of room.add; params of room.remove. */
export interface MembersChange {
  /** room */
  room: ID;
  /** 1-1000 accounts */
  users: ID[];
  /** role of the added; default member */
  role?: MemberRole;
}

/** Params of room.role. */
export interface MemberRoleParams {
  /** room */
  room: ID;
  /** member */
  user: ID;
  /** owner, moderator, member or reader */
  role: MemberRole;
}

/** Params of room.history. */
export interface HistoryParams {
  /** room */
  room: ID;
  /** entries with a smaller number; newest page if both are absent */
  before?: number;
  /** entries with a larger number, oldest of them first; after=0 with from_start */
  after?: number;
  /** the first page of the room */
  from_start?: boolean;
  /** ms since 1970: from the first entry of this time or later on; the newest page when there is none; not together with another position */
  at?: number;
  /** only this thread */
  thread?: number;
  /** 1-200, default 50 */
  limit?: number;
}

/** Result of room.history. */
export interface History {
  /** entries, smallest number first */
  messages: Message[];
  /** newest number of the room */
  head: number;
  /** the page is true at this position */
  position: number;
  /** there are more in this direction */
  more: boolean;
}

/** Result of room.pins. */
export interface MessageList {
  /** messages */
  messages: Message[];
}

/** Params of room.read. */
export interface ReadParams {
  /** room */
  room: ID;
  /** read up to this number */
  seq: number;
}

/** Result of room.read. */
export interface ReadResult {
  /** read mark now; never goes back */
  seq: number;
  /** unread after it */
  unread: number;
  /** journal position; 0 = it stood there already */
  position: number;
}

/** Params of room.typing. */
export interface TypingParams {
  /** room */
  room: ID;
}

/** Params of message.send. */
export interface SendParams {
  /** room */
  room: ID;
  /** client key, a UUID (version 7 is best), made once per message: the same key again gets the same answer */
  key: string;
  /** text in the Markdown subset */
  text?: string;
  /** number of the message answered */
  reply_to?: number;
  /** number of the thread's first message */
  thread?: number;
  /** up to 20 files the caller uploaded or may see */
  files?: ID[];
  /** own payload of a bot or gateway; text is the fallback and must be there */
  foreign?: Foreign;
}

/** Result of message.send; result of message.forward; result of scheduled.send. */
export interface Sent {
  /** opaque message id */
  id: MessageID;
  /** number in the room */
  seq: number;
  /** journal position: it is on disk */
  position: number;
  /** when it was stored, ms */
  time: number;
  /** this key had been sent before; nothing new was stored */
  again?: boolean;
}

/** Params of message.forward. */
export interface ForwardParams {
  /** the original */
  message: MessageID;
  /** where to */
  room: ID;
  /** client key, as in message.send */
  key: string;
}

/** Params of message.get; params of message.revisions; params of message.recall; params of message.readers; params of message.journey. */
export interface MessageParam {
  /** message */
  message: MessageID;
}

/** Result of message.get. */
export interface MessageResult {
  /** message */
  message: Message;
}

/** Params of message.edit. */
export interface EditParams {
  /** message */
  message: MessageID;
  /** new text */
  text: string;
}

/** Result of message.revisions. */
export interface Revisions {
  /** earlier texts, oldest first */
  revisions: Revision[];
}

export interface Revision {
  /** text before the edit */
  text: string;
  /** when that text was stored, ms */
  at: number;
}

/** Params of message.react. */
export interface ReactParams {
  /** message */
  message: MessageID;
  /** 1-32 bytes */
  emoji: string;
  /** put or take away */
  on: boolean;
}

/** Params of message.pin. */
export interface PinParams {
  /** message */
  message: MessageID;
  /** pin or unpin */
  on: boolean;
}

/** Result of message.readers. */
export interface Readers {
  /** members who have read it */
  read: Reader[];
  /** members who have not */
  unread: ID[];
}

export interface Reader {
  /** account */
  user: ID;
  /** when the read mark passed it, ms */
  at?: number;
}

/** Result of message.journey. */
export interface Journey {
  /** message */
  message: MessageID;
  /** when it became durable, ms */
  stored: number;
  /** one per device; a person without devices has one with an empty device */
  steps: Step[];
  /** the room has more than 200 members */
  more?: boolean;
}

export interface Step {
  /** account */
  user: ID;
  /** device */
  device: ID;
  /** device name */
  name: string;
  /** connected now */
  online: boolean;
  /** stored, pushed, acknowledged or read */
  state: string;
  /** written to its connection, ms; exact to a second */
  pushed_at?: number;
  /** the device confirmed it, ms; exact to a second */
  acked_at?: number;
  /** the person's read mark passed it, ms */
  read_at?: number;
  /** the device was last connected, ms */
  last_seen?: number;
}

/** Params of notice.send. */
export interface NoticeSend {
  /** UUID made before the first try; the same key again is the same notice */
  key: string;
  /** 1-100 characters */
  title: string;
  /** at most 16384 bytes, in the Markdown subset */
  text?: string;
  /** at most 50; in groups and direct rooms any member, elsewhere moderators and owners */
  rooms?: ID[];
  /** at most 100, with those below; admins and owners */
  departments?: ID[];
  /** at most 20; admins and owners 500 */
  users?: ID[];
  /** every account; admins and owners */
  everyone?: boolean;
  /** ms, at most a year ahead; may be passed, is shown */
  deadline?: number;
  /** 15 minutes to 1 day; absent: no automatic reminders */
  remind_every_ms?: number;
  /** 1-50, default 10 */
  remind_most?: number;
}

/** Result of notice.send. */
export interface NoticeSent {
  /** the notice */
  notice: Notice;
  /** journal position */
  position: number;
  /** the key had been used: nothing was sent now */
  again?: boolean;
}

export interface Notice {
  /** notice */
  id: ID;
  /** who sent it */
  author: ID;
  /** one line */
  title: string;
  /** text in the Markdown subset */
  text?: string;
  /** when it was sent, ms */
  created: number;
  /** to be confirmed until, ms */
  deadline?: number;
  /** between automatic reminders, ms */
  remind_every_ms?: number;
  /** most automatic reminders */
  remind_most?: number;
  /** automatic reminders so far */
  reminders?: number;
  /** last reminder, ms */
  reminded_at?: number;
  /** closed: nobody is asked any more, ms */
  closed_at?: number;
  /** how many were asked */
  audience: number;
  /** how many confirmed */
  confirmed: number;
  /** how many have not and still could */
  waiting?: number;
  /** the caller: waiting, confirmed or gone; absent if not asked */
  mine?: string;
  /** when the caller confirmed, ms */
  confirmed_at?: number;
  /** rooms addressed */
  rooms?: ID[];
  /** departments addressed, with those below */
  departments?: ID[];
  /** people addressed by name */
  users?: ID[];
  /** everybody was addressed */
  everyone?: boolean;
  /** messages that show it, in rooms of the caller */
  messages?: MessageID[];
}

/** Params of notice.list. */
export interface NoticeListParams {
  /** waiting (default): what waits for the caller; received: all the caller was asked; sent: by the caller; all: auditors and above */
  box?: string;
  /** continue after this notice */
  after?: ID;
  /** 1-100, default 50 */
  limit?: number;
}

/** Result of notice.list. */
export interface NoticeList {
  /** newest first */
  notices: Notice[];
  /** there are more */
  more: boolean;
  /** how many wait for the caller */
  waiting: number;
}

/** Params of notice.get. */
export interface NoticeGetParams {
  /** notice */
  notice: ID;
  /** list people and departments too: its author, auditors and above */
  people?: boolean;
  /** only waiting, confirmed or gone */
  state?: string;
  /** part of a name or login */
  query?: string;
  /** continue after this account */
  after?: ID;
  /** 1-500, default 100 */
  limit?: number;
}

/** Result of notice.get. */
export interface NoticeState {
  /** the notice */
  notice: Notice;
  /** by department and name */
  people?: NoticePerson[];
  /** there are more people */
  more?: boolean;
  /** counts of the whole audience */
  departments?: NoticeDepartment[];
}

export interface NoticePerson {
  /** account */
  user: ID;
  /** waiting, confirmed or gone (has left or is disabled) */
  state: string;
  /** ms */
  confirmed_at?: number;
}

export interface NoticeDepartment {
  /** department; absent: people in none */
  department?: ID;
  /** asked */
  audience: number;
  /** confirmed */
  confirmed: number;
  /** not yet */
  waiting: number;
}

/** Params of notice.confirm; params of notice.remind; params of notice.close. */
export interface NoticeParam {
  /** notice */
  notice: ID;
}

/** Params of scheduled.create. */
export interface ScheduledCreate {
  /** room */
  room: ID;
  /** UUID made before the first try */
  key: string;
  /** text in the Markdown subset */
  text?: string;
  /** sequence number of the message answered */
  reply_to?: number;
  /** sequence number of the thread's first message */
  thread?: number;
  /** at most 20; kept until it is sent or removed */
  files?: ID[];
  /** when, ms; 1 minute to 1 year ahead */
  at: number;
}

/** Result of scheduled.create; result of scheduled.update. */
export interface ScheduledResult {
  /** as it is */
  scheduled: ScheduledMessage;
  /** journal position */
  position: number;
  /** the key had been used: nothing was made now */
  again?: boolean;
}

export interface ScheduledMessage {
  /** scheduled message */
  id: ID;
  /** room */
  room: ID;
  /** text in the Markdown subset */
  text?: string;
  /** sequence number of the message answered */
  reply_to?: number;
  /** sequence number of the thread's first message */
  thread?: number;
  /** attachments */
  files?: File[];
  /** when it is to be sent, ms */
  at: number;
  /** time, ms */
  created: number;
  /** it could not be sent, ms */
  failed_at?: number;
  /** why it could not be sent, in English */
  reason_en?: string;
  /** why it could not be sent, in Chinese */
  reason_zh?: string;
}

/** Params of scheduled.list. */
export interface ScheduledListParams {
  /** only of this room */
  room?: ID;
}

/** Result of scheduled.list. */
export interface ScheduledList {
  /** the next first */
  scheduled: ScheduledMessage[];
}

/** Params of scheduled.update. */
export interface ScheduledUpdate {
  /** scheduled message */
  scheduled: ID;
  /** new text; absent stays */
  text?: string;
  /** new time, ms; absent stays */
  at?: number;
}

/** Params of scheduled.remove; params of scheduled.send. */
export interface ScheduledParam {
  /** scheduled message */
  scheduled: ID;
}

/** Params of file.get; params of file.discard. */
export interface FileParam {
  /** file */
  file: ID;
}

/** Result of file.get. */
export interface FileResult {
  /** file */
  file: File;
}

/** Params of file.usage. */
export interface UsageParams {
  /** account or room; the caller if absent */
  subject?: ID;
}

/** Result of file.usage. */
export interface Usage {
  /** account or room */
  subject: ID;
  /** number of files */
  files: number;
  /** bytes used */
  bytes: number;
  /** bytes allowed */
  quota: number;
}

/** Params of kv.get. */
export interface KVGet {
  /** user or device */
  scope: string;
  /** 1-128 bytes */
  key: string;
}

/** Result of kv.get. */
export interface KV {
  /** 1-128 bytes */
  key: string;
  /** any JSON value up to 16 KiB */
  value: any;
  /** journal position of the last change */
  version: number;
}

/** Params of kv.put. */
export interface KVPut {
  /** user or device */
  scope: string;
  /** 1-128 bytes */
  key: string;
  /** any JSON up to 16 KiB; absent removes the key */
  value?: any;
}

/** Params of kv.list. */
export interface KVList {
  /** user or device */
  scope: string;
  /** only keys that begin so */
  prefix?: string;
}

/** Result of kv.list. */
export interface KVEntries {
  /** entries by key */
  entries: KV[];
}

/** Params of presence.watch. */
export interface PresenceParams {
  /** people to watch, at most 500; replaces the earlier list */
  users: ID[];
}

/** Result of presence.watch; data of event presence. */
export interface PresenceList {
  /** states now; changes follow as events */
  presence: Presence[];
}

export interface Presence {
  /** account */
  user: ID;
  /** online, suspect (a connection is silent) or offline */
  state: string;
  /** in this state since, ms */
  since?: number;
}

/** Params of session.authenticate. */
export interface AuthParams {
  /** device token */
  token: string;
}

/** Params of sync.start. */
export interface SyncParams {
  /** last position the client has seen; 0 = nothing yet */
  since: number;
}

/** Result of sync.start. */
export interface SyncStart {
  /** head of the journal now */
  position: number;
  /** too far back: drop what you have and begin with rooms */
  reset: boolean;
  /** with reset: all rooms and their heads */
  rooms?: Room[];
  /** the caller */
  user: User;
  /** this device */
  device: ID;
  /** ms */
  server_time: number;
  /** send sync.ping this often */
  heartbeat_ms: number;
  /** version of the server */
  version: string;
}

/** Params of sync.ack. */
export interface AckParams {
  /** everything up to here has arrived on this device */
  position: number;
}

/** Result of sync.ping. */
export interface Pong {
  /** ms */
  server_time: number;
  /** head of the journal now */
  position: number;
}

/** Params of search.messages. */
export interface SearchParams {
  /** 2-200 characters: terms apart by spaces must all occur; in double quotes, or when a term has one character, it is one text */
  query: string;
  /** only this room; else all rooms of the caller */
  room?: ID;
  /** only messages of this account */
  sender?: ID;
  /** only messages with files */
  files?: boolean;
  /** sent at or after this time, ms */
  after?: number;
  /** sent before this time, ms */
  before?: number;
  /** next of the page before; absent for the first */
  page?: number;
  /** 1-50, default 20 */
  limit?: number;
}

/** Result of search.messages. */
export interface SearchResult {
  /** what was found, newest first; may be fewer than limit, even none, while next is set */
  hits: SearchHit[];
  /** page to ask for to go on; absent: that was all */
  next?: number;
  /** the answer is true at this journal position */
  position: number;
  /** the index is being made, so many percent; older messages are found already */
  building?: number;
}

export interface SearchHit {
  /** message */
  message: Message;
  /** why it was found */
  snippet: Snippet;
  /** file of the message whose text the snippet is from; the snippet begins with its name */
  file?: ID;
}

export interface Snippet {
  /** plain text around what was found, one line */
  text: string;
  /** what was found in it */
  marks?: Mark[];
}

export interface Mark {
  /** first UTF-16 unit of what was found */
  from: number;
  /** unit after it */
  to: number;
}

/** Params of search.names. */
export interface NamesParams {
  /** part of a name or login, pinyin or initials */
  query: string;
  /** people and rooms each, 1-50, default 10 */
  limit?: number;
}

/** Result of search.names. */
export interface NamesResult {
  /** people, best match first */
  users: User[];
  /** rooms, best match first */
  rooms: NamedRoom[];
}

export interface NamedRoom {
  /** room */
  id: ID;
  /** group, channel or announcement */
  kind: RoomKind;
  /** name */
  name: string;
  /** number of members */
  members: number;
  /** the caller is one; else it can be joined */
  member: boolean;
}

/** Params of hook.create. */
export interface HookCreate {
  /** incoming, outgoing or command */
  kind: string;
  /** room; a command without one is for all rooms (admins) */
  room?: ID;
  /** 1-100 characters */
  name: string;
  /** what it is for */
  description?: string;
  /** incoming: dingtalk, slack, mattermost, grafana, alertmanager, gitlab, jenkins, github or plain; absent: found out */
  format?: string;
  /** incoming: make a secret that requests must prove */
  sign?: boolean;
  /** incoming: a secret of one's own, up to 256 bytes, such as the one a script has already */
  secret?: string;
  /** incoming: at most 20 */
  keywords?: string[];
  /** incoming: a payload may name its sender */
  usernames?: boolean;
  /** zh or en; default the caller's */
  language?: string;
  /** outgoing, command: http or https address */
  url?: string;
  /** outgoing: message, edited, recalled, members; default message */
  events?: string[];
  /** outgoing: trigger words, at most 20 */
  words?: string[];
  /** command: the word after the slash */
  command?: string;
  /** command: its arguments, for people */
  hint?: string;
}

/** Result of hook.create; result of hook.update; result of hook.rotate. */
export interface HookResult {
  /** hook */
  hook: Hook;
  /** incoming: address that other programs post to; shown once */
  url?: string;
  /** incoming: the same in the form of DingTalk robots; shown once */
  dingtalk_url?: string;
  /** secret of signatures; shown once */
  secret?: string;
  /** journal position */
  position: number;
}

export interface Hook {
  /** hook */
  id: ID;
  /** incoming, outgoing or command */
  kind: string;
  /** room; none: a command of every room */
  room?: ID;
  /** account that its messages are sent by */
  bot: ID;
  /** name, also of its bot */
  name: string;
  /** what it is for */
  description?: string;
  /** incoming: the only format it takes; absent: found out for each payload */
  format?: string;
  /** incoming: a payload needs one of them */
  keywords?: string[];
  /** incoming: a payload may name its sender */
  usernames?: boolean;
  /** incoming: a request must prove that it knows the secret */
  signed?: boolean;
  /** zh or en: of the words it adds */
  language?: string;
  /** outgoing, command: where requests go */
  url?: string;
  /** outgoing: message, edited, recalled, members */
  events?: string[];
  /** outgoing: only messages that begin with one of them */
  words?: string[];
  /** command: the word after the slash */
  command?: string;
  /** command: its arguments, for people */
  hint?: string;
  /** nothing passes */
  disabled?: boolean;
  /** account */
  created_by?: ID;
  /** time, ms */
  created: number;
  /** last request, ms */
  last_used?: number;
  /** messages or requests that passed */
  delivered?: number;
  /** requests refused, or tries that failed */
  refused?: number;
  /** why the last of them */
  last_error?: string;
  /** when, ms */
  last_error_at?: number;
  /** outgoing: deliveries that wait */
  pending?: number;
  /** outgoing: deliveries given up */
  dead?: number;
}

/** Params of hook.list. */
export interface HookListParams {
  /** only those of this room; absent: of all rooms whose hooks the caller looks after */
  room?: ID;
}

/** Result of hook.list. */
export interface HookList {
  /** hooks by name */
  hooks: Hook[];
  /** the caller may make and change hooks here */
  manage: boolean;
}

/** Params of hook.update. */
export interface HookUpdate {
  /** hook */
  hook: ID;
  /** name */
  name?: string;
  /** what it is for */
  description?: string;
  /** as in hook.create; empty: found out */
  format?: string;
  /** as in hook.create */
  keywords?: string[];
  /** as in hook.create */
  usernames?: boolean;
  /** incoming: another secret; empty: requests need none */
  secret?: string;
  /** zh or en */
  language?: string;
  /** address */
  url?: string;
  /** as in hook.create */
  events?: string[];
  /** as in hook.create */
  words?: string[];
  /** the word after the slash */
  command?: string;
  /** arguments */
  hint?: string;
  /** true: nothing passes */
  disabled?: boolean;
}

/** Params of hook.remove; params of hook.dead. */
export interface HookParam {
  /** hook */
  hook: ID;
}

/** Params of hook.rotate. */
export interface HookRotate {
  /** hook */
  hook: ID;
  /** token (of an incoming hook's address) or secret; default token for incoming, else secret */
  what?: string;
}

/** Result of hook.dead. */
export interface DeadList {
  /** deliveries that were given up, oldest first, at most 200 */
  dead: DeadLetter[];
  /** there are more */
  more?: boolean;
}

export interface DeadLetter {
  /** delivery */
  id: string;
  /** hook */
  hook: ID;
  /** message, edited, recalled or members */
  event: string;
  /** room */
  room: ID;
  /** entry of the room */
  seq: number;
  /** when it happened, ms */
  queued: number;
  /** when it was given up, ms */
  gave_up: number;
  /** how often it was tried */
  attempts: number;
  /** why the last try failed */
  error: string;
}

/** Params of hook.retry; params of hook.discard. */
export interface DeadParams {
  /** hook */
  hook: ID;
  /** which, at most 200; absent: all of them */
  deliveries?: string[];
}

/** Result of hook.retry; result of hook.discard. */
export interface DeadResult {
  /** how many */
  count: number;
}

/** Result of command.list. */
export interface CommandList {
  /** commands by name */
  commands: Command[];
}

export interface Command {
  /** the word after the slash */
  command: string;
  /** its arguments */
  hint?: string;
  /** what it does, in the caller's language */
  description?: string;
  /** the client itself does it, with the methods of this table */
  builtin?: boolean;
  /** the hook that does it */
  hook?: ID;
}

/** Params of command.run. */
export interface CommandRun {
  /** room it is used in */
  room: ID;
  /** /word and arguments */
  text: string;
  /** client key, as in message.send: the answer that goes to the room is sent once */
  key: string;
}

/** Result of command.run. */
export interface CommandAnswer {
  /** what the command answered, in the Markdown subset */
  text?: string;
  /** room: sent to the room; me: only the caller sees it, and it is kept nowhere */
  visibility: string;
  /** who answers */
  bot: ID;
  /** the message sent to the room */
  message?: MessageID;
  /** its journal position */
  position?: number;
}

/** Result of server.status. */
export interface StatusResult {
  /** version */
  version: string;
  /** ms since the start */
  uptime_ms: number;
  /** head of the journal */
  position: number;
  /** position of the state file */
  flushed: number;
  /** accounts */
  users: number;
  /** rooms */
  rooms: number;
  /** messages stored */
  messages: number;
  /** files */
  files: number;
  /** bytes of files */
  file_bytes: number;
  /** live connections */
  sessions: number;
  /** people online */
  online: number;
  /** position of the index of messages */
  search?: number;
  /** it is being made, so many percent */
  search_building?: number;
  /** why it no longer follows */
  search_problem?: string;
  /** why nothing can be stored */
  read_only?: string;
  /** fingerprint of the CA */
  certificate?: string;
  /** end of the certificate, ms */
  certificate_expires?: number;
  /** addresses to open */
  addresses?: string[];
}

/** Result of server.sessions. */
export interface SessionList {
  /** live connections */
  sessions: SessionInfo[];
}

export interface SessionInfo {
  /** account */
  user: ID;
  /** device */
  device: ID;
  /** peer address */
  address: string;
  /** connected since, ms */
  since: number;
  /** last sign of life, ms */
  last_beat: number;
  /** round trip, µs */
  rtt_us: number;
  /** bytes waiting for the socket */
  queue_bytes: number;
  /** active, lagging or suspect */
  state: string;
  /** number of the connection, as in the log */
  connection: number;
  /** what the client calls itself */
  agent?: string;
  /** frames waiting for the socket */
  queue_frames: number;
  /** messages sent and not acknowledged */
  unacked: number;
  /** heartbeats missed */
  missed: number;
  /** of a virtual user */
  probe?: boolean;
}

/** Result of setup.link. */
export interface SetupLink {
  /** one-time link; empty when setup is done */
  url: string;
}

/** Params of audit.list. */
export interface AuditListParams {
  /** only entries older than this position: next of the page before */
  before?: number;
  /** 1-200, default 200 */
  limit?: number;
  /** only by this account */
  actor?: ID;
  /** only this action, or all that begin with it and a dot */
  action?: string;
  /** only with this outcome */
  outcome?: string;
  /** not before, ms */
  from?: number;
  /** before, ms */
  to?: number;
  /** part of name, action, object, detail or address */
  text?: string;
}

/** Result of audit.list. */
export interface AuditList {
  /** newest first */
  entries: AuditEntry[];
  /** there may be older ones: give it as before */
  next?: number;
}

export interface AuditEntry {
  /** journal position, which names the entry */
  position: number;
  /** when it happened, ms */
  at: number;
  /** who did it; absent: the server itself or its command line */
  actor?: ID;
  /** name of the actor at that time */
  name?: string;
  /** role of the actor at that time; also operator and box */
  role?: string;
  /** where from */
  address?: string;
  /** what was done, such as runbook.run */
  action: string;
  /** what it was done to */
  object?: string;
  /** with which values; never secrets */
  detail?: string;
  /** done, refused, failed, or tried for a dry run */
  outcome: string;
}

/** Result of import.limits. */
export interface ImportLimits {
  /** bytes of files a person may own */
  user_quota: number;
  /** bytes of files in a room */
  room_quota: number;
  /** bytes of one file */
  file_bytes: number;
  /** bytes of a message's text */
  text_bytes: number;
  /** members of a room */
  room_members: number;
  /** rooms of a person */
  user_rooms: number;
}

/** Params of import.people. */
export interface ImportPeople {
  /** 1-500 accounts to make, without passwords */
  people: ImportPerson[];
}

export interface ImportPerson {
  /** login */
  login: string;
  /** display name */
  name: string;
  /** position */
  title?: string;
  /** e-mail */
  email?: string;
  /** phone */
  phone?: string;
  /** a program */
  bot?: boolean;
  /** may not log in */
  disabled?: boolean;
  /** time, ms */
  created?: number;
}

/** Result of import.people; result of import.files. */
export interface ImportRows {
  /** one per entry, in order */
  rows: ImportFound[];
}

export interface ImportFound {
  /** account, room or file; absent: there is none */
  id?: ID;
  /** why it was refused, in the caller's language */
  reason?: string;
}

/** Params of import.rooms. */
export interface ImportRooms {
  /** 1-500 rooms */
  rooms: ImportedRoom[];
  /** only look */
  dry_run?: boolean;
}

export interface ImportedRoom {
  /** import key, a UUID; absent for direct and notes */
  key?: string;
  /** group, channel, direct or notes */
  kind: RoomKind;
  /** name */
  name?: string;
  /** topic */
  topic?: string;
  /** time, ms */
  created?: number;
  /** account that made it */
  by?: ID;
  /** the two people of direct; of notes the one, twice */
  pair?: ID[];
}

/** Result of import.rooms. */
export interface ImportRoomRows {
  /** one per room, in order */
  rows: ImportRoomRow[];
}

export interface ImportRoomRow {
  /** room; absent: would be made */
  room?: ID;
  /** made now */
  made?: boolean;
  /** people have written in it: it takes no imported messages */
  busy?: boolean;
  /** why it was refused */
  reason?: string;
}

/** Params of import.files. */
export interface ImportFiles {
  /** 1-500 names that the import gave */
  names: string[];
}

/** Params of import.messages. */
export interface ImportMessages {
  /** room made by import.rooms */
  room: ID;
  /** 1-500 messages, oldest first */
  messages: ImportMessage[];
}

export interface ImportMessage {
  /** import key, a UUID derived from where the message came from: the same again changes nothing */
  key: string;
  /** author */
  sender: ID;
  /** when it was written, ms */
  at: number;
  /** text in the Markdown subset */
  text?: string;
  /** key of the thread's first message */
  thread?: string;
  /** up to 20 files */
  files?: ID[];
  /** last edit, ms */
  edited_at?: number;
  /** pinned, ms */
  pinned_at?: number;
  /** reactions */
  reactions?: ImportReaction[];
}

export interface ImportReaction {
  /** emoji or short text */
  emoji: string;
  /** who, in order */
  users: ID[];
}

/** Result of import.messages. */
export interface ImportDone {
  /** messages stored */
  added: number;
  /** messages that were there already */
  again: number;
  /** messages refused */
  refused?: ImportRefusal[];
  /** journal position: all of it is on disk */
  position: number;
}

export interface ImportRefusal {
  /** place in messages, from 0 */
  index: number;
  /** kind of the refusal */
  kind: Kind;
  /** why, in the caller's language */
  reason: string;
}

/** Params of import.open. */
export interface ImportOpen {
  /** room */
  room: ID;
  /** owners of the room */
  owners: ID[];
  /** other members */
  users: ID[];
  /** it stays archived */
  archived?: boolean;
}

/** Data of event reaction. */
export interface ReactionChange {
  /** message */
  message: MessageID;
  /** who */
  user: ID;
  /** reaction */
  emoji: string;
  /** put or taken away */
  on: boolean;
}

/** Data of event pinned. */
export interface PinChange {
  /** message */
  message: MessageID;
  /** who */
  by: ID;
  /** when, ms; 0 = unpinned */
  at: number;
}

/** Data of event thread. */
export interface ThreadChange {
  /** first message of the thread */
  message: MessageID;
  /** messages in the thread */
  replies: number;
  /** time of the newest of them, ms */
  last_reply: number;
}

/** Data of event read. */
export interface ReadChange {
  /** room */
  room: ID;
  /** who */
  user: ID;
  /** read up to */
  seq: number;
  /** count of the message read up to */
  count: number;
  /** when, ms */
  at: number;
}

/** Data of event room. */
export interface RoomChange {
  /** room */
  room: ID;
  /** name */
  name: string;
  /** topic */
  topic: string;
  /** archived */
  archived: boolean;
}

/** Data of event joined; data of event left. */
export interface RoomRef {
  /** room */
  room: ID;
}

/** Data of event members. */
export interface MembersChanged {
  /** room */
  room: ID;
  /** now members */
  added?: ID[];
  /** no longer members */
  removed?: ID[];
  /** role of the added, or new role */
  role?: MemberRole;
}

/** Data of event department. */
export interface DepartmentChanged {
  /** department */
  department: Department;
  /** it is gone */
  removed?: boolean;
}

/** Data of event kv. */
export interface KVChange {
  /** user or device */
  scope: string;
  /** entry; value null = removed */
  entry: KV;
}

/** Data of event devices. */
export interface DevicesChanged {
  /** whose devices */
  user: ID;
}

/** Data of event notice. */
export interface NoticeChange {
  /** new, confirmed, reminded or closed */
  what: string;
  /** as it is, without what only its author is told */
  notice: Notice;
  /** who did it; absent: the clock */
  user?: ID;
  /** when, ms */
  at: number;
  /** the receiver is asked to confirm */
  asked?: boolean;
}

/** Data of event scheduled. */
export interface ScheduledChange {
  /** put, removed, sent or failed */
  what: string;
  /** scheduled message */
  id: ID;
  /** as it is, while it waits */
  scheduled?: ScheduledMessage;
  /** the message it became */
  message?: MessageID;
}

/** Data of event typing. */
export interface Typing {
  /** room */
  room: ID;
  /** who */
  user: ID;
}

/** Data of event receipts. */
export interface ReceiptList {
  /** how far devices have got */
  receipts: Receipt[];
}

export interface Receipt {
  /** room */
  room: ID;
  /** account */
  user: ID;
  /** device */
  device: ID;
  /** sequence number pushed up to */
  pushed: number;
  /** sequence number acknowledged up to */
  acked: number;
}

/** Data of event drain. */
export interface Drain {
  /** wait this long, then reconnect */
  reconnect_after_ms: number;
}

/** Data of event reset. */
export interface ResetNotice {
  /** why */
  reason: string;
}

/** Error of an answer. */
export interface ErrorBody {
  /** number of the kind */
  code: number;
  /** a sentence in the reader's language */
  message: string;
  /** for programs */
  data: ErrorData;
}

export interface ErrorData {
  /** stable name of the error */
  kind: Kind;
  /** trace id, to be found in the server's log */
  trace?: string;
  /** the parameter that is wrong */
  field?: string;
  /** try again after this many milliseconds */
  retry_after_ms?: number;
}

/** Every method. With socket: true it needs a WebSocket, otherwise it is also a POST. */
export interface Methods {
  /** What this server is and whether it waits for its first owner. */
  "server.info": { params: Empty; result: ServerInfo; socket: false };
  /** Makes the first owner with the token of the setup link and logs in. Works once. */
  "setup.complete": { params: SetupParams; result: Session; socket: false };
  /** Logs in and makes a device. */
  "session.login": { params: LoginParams; result: Session; socket: false };
  /** Who is logged in on this device. */
  "session.me": { params: Empty; result: Session; socket: false };
  /** Checks the caller's own password once more, before something dangerous. Changes nothing. */
  "session.confirm": { params: ConfirmParams; result: Done; socket: false };
  /** Ends this device's session; its token is worthless afterwards. */
  "session.logout": { params: Empty; result: Done; socket: false };
  /** Devices of the caller (or, for auditors and above, of anyone). */
  "session.devices": { params: UserOptional; result: DeviceList; socket: false };
  /** Ends a device's session: its connections close within a second. One's own; an admin also those of others, an owner's excepted. */
  "session.revoke": { params: DeviceParam; result: Done; socket: false };
  /** Changes the caller's password and ends all other sessions. */
  "account.password": { params: PasswordParams; result: Done; socket: false };
  /** Changes the caller's profile; absent fields stay. */
  "account.update": { params: ProfileParams; result: UserResult; socket: false };
  /** Tells who invites, before one accepts. */
  "invite.show": { params: InviteCode; result: InviteInfo; socket: false };
  /** Makes an account from an invitation and logs in. */
  "invite.accept": { params: InviteAccept; result: Session; socket: false };
  /** Finds people by name, login or department. */
  "directory.list": { params: DirectoryParams; result: UserList; socket: false };
  /** Looks up people by their IDs; unknown ones are left out. */
  "directory.get": { params: UsersParam; result: UserList; socket: false };
  /** The tree of departments. */
  "department.list": { params: Empty; result: DepartmentList; socket: false };
  /** Makes or changes a department. */
  "department.put": { params: DepartmentPut; result: DepartmentResult; socket: false };
  /** Removes an empty department. */
  "department.remove": { params: DepartmentParam; result: Done; socket: false };
  /** Gives the organisation another name; clients show it with their next connection. */
  "organisation.rename": { params: OrganisationName; result: Done; socket: false };
  /** Makes an account. */
  "user.create": { params: UserCreate; result: UserResult; socket: false };
  /** Changes an account; disabling it ends its sessions at once. */
  "user.update": { params: UserUpdate; result: UserResult; socket: false };
  /** Sets a password and ends the account's sessions. */
  "user.password": { params: UserPassword; result: Done; socket: false };
  /** Makes a device token for an account, for bots. */
  "user.token": { params: TokenCreate; result: Session; socket: false };
  /** Makes and updates accounts and departments from CSV, with a dry run. */
  "user.import": { params: ImportParams; result: ImportResult; socket: false };
  /** Makes an invitation link and its QR code. */
  "invite.create": { params: InviteCreate; result: InviteResult; socket: false };
  /** Invitations that can still be used. */
  "invite.list": { params: Empty; result: InviteList; socket: false };
  /** Makes an invitation worthless. */
  "invite.revoke": { params: InviteParam; result: Done; socket: false };
  /** The caller's rooms with heads, read marks and unread counts. */
  "room.list": { params: Empty; result: RoomList; socket: false };
  /** One room. */
  "room.get": { params: RoomParam; result: RoomResult; socket: false };
  /** Channels and announcement rooms that can be joined. */
  "room.discover": { params: DiscoverParams; result: RoomList; socket: false };
  /** Makes a room; the caller becomes its owner. */
  "room.create": { params: RoomCreate; result: RoomResult; socket: false };
  /** The room of the caller and one other person; made if needed. With oneself: notes to self. */
  "room.direct": { params: UserParam; result: RoomResult; socket: false };
  /** Renames, sets the topic, archives. Moderators and owners. */
  "room.update": { params: RoomUpdate; result: RoomResult; socket: false };
  /** Joins a channel or announcement room. */
  "room.join": { params: RoomParam; result: RoomResult; socket: false };
  /** Leaves a room. The last owner hands over first. */
  "room.leave": { params: RoomParam; result: Done; socket: false };
  /** Members with roles and read marks. */
  "room.members": { params: MembersParams; result: MemberList; socket: false };
  /** Adds people. In groups any member; elsewhere moderators and owners. */
  "room.add": { params: MembersChange; result: Done; socket: false };
  /** Removes people. Moderators and owners. */
  "room.remove": { params: MembersChange; result: Done; socket: false };
  /** Sets a member's role. Owners. */
  "room.role": { params: MemberRoleParams; result: Done; socket: false };
  /** A page of the timeline, in either direction. */
  "room.history": { params: HistoryParams; result: History; socket: false };
  /** Pinned messages, last pinned first. */
  "room.pins": { params: RoomParam; result: MessageList; socket: false };
  /** Moves the caller's read mark forward. */
  "room.read": { params: ReadParams; result: ReadResult; socket: false };
  /** Tells the room that the caller is typing, for 5 seconds. Not kept. */
  "room.typing": { params: TypingParams; result: Empty; socket: true };
  /** Sends a message. The answer means that it is on disk. */
  "message.send": { params: SendParams; result: Sent; socket: false };
  /** Sends a message on to another room. */
  "message.forward": { params: ForwardParams; result: Sent; socket: false };
  /** One message. */
  "message.get": { params: MessageParam; result: MessageResult; socket: false };
  /** Changes one's own message; the earlier text is kept. */
  "message.edit": { params: EditParams; result: Done; socket: false };
  /** Earlier texts of an edited message. */
  "message.revisions": { params: MessageParam; result: Revisions; socket: false };
  /** Takes a message back for everyone; that it was there stays visible. Author; moderators and owners of the room. */
  "message.recall": { params: MessageParam; result: Done; socket: false };
  /** Puts or takes away a reaction. */
  "message.react": { params: ReactParams; result: Done; socket: false };
  /** Pins or unpins. Members of direct rooms and groups; moderators and owners elsewhere. */
  "message.pin": { params: PinParams; result: Done; socket: false };
  /** Who has read a message and who has not. */
  "message.readers": { params: MessageParam; result: Readers; socket: false };
  /** Where the message is: per device stored, pushed, acknowledged, read. For its author, auditors and above. */
  "message.journey": { params: MessageParam; result: Journey; socket: false };
  /** Sends a notice that people confirm. Whom it asks is decided now; rooms get a message that shows it. */
  "notice.send": { params: NoticeSend; result: NoticeSent; socket: false };
  /** Notices that wait for the caller, were received or sent. */
  "notice.list": { params: NoticeListParams; result: NoticeList; socket: false };
  /** One notice; for its author, auditors and above also who confirmed and who has not. */
  "notice.get": { params: NoticeGetParams; result: NoticeState; socket: false };
  /** Confirms a notice. Once; again changes nothing. */
  "notice.confirm": { params: NoticeParam; result: Done; socket: false };
  /** Reminds those who have not confirmed, at most every 5 minutes. Its author, admins and owners. */
  "notice.remind": { params: NoticeParam; result: Done; socket: false };
  /** Closes a notice: nobody is asked any more. Its author, admins and owners. */
  "notice.close": { params: NoticeParam; result: Done; socket: false };
  /** Keeps a message and sends it at its time, once. */
  "scheduled.create": { params: ScheduledCreate; result: ScheduledResult; socket: false };
  /** The caller's scheduled messages, failed ones too. */
  "scheduled.list": { params: ScheduledListParams; result: ScheduledList; socket: false };
  /** Changes text or time; one that failed waits again. */
  "scheduled.update": { params: ScheduledUpdate; result: ScheduledResult; socket: false };
  /** Removes a scheduled message unsent. */
  "scheduled.remove": { params: ScheduledParam; result: Done; socket: false };
  /** Sends a scheduled message now. */
  "scheduled.send": { params: ScheduledParam; result: Sent; socket: false };
  /** What is known of a file. */
  "file.get": { params: FileParam; result: FileResult; socket: false };
  /** Throws away an uploaded file that no message carries. */
  "file.discard": { params: FileParam; result: Done; socket: false };
  /** Storage used and allowed, per person or room. */
  "file.usage": { params: UsageParams; result: Usage; socket: false };
  /** One entry of the key-value store. */
  "kv.get": { params: KVGet; result: KV; socket: false };
  /** Sets or removes an entry. Kept for ever and sent to all devices of the person (scope user). */
  "kv.put": { params: KVPut; result: Done; socket: false };
  /** Entries by prefix. */
  "kv.list": { params: KVList; result: KVEntries; socket: false };
  /** Watches people's presence. */
  "presence.watch": { params: PresenceParams; result: PresenceList; socket: true };
  /** Logs a WebSocket in with a device token, as its first frame. */
  "session.authenticate": { params: AuthParams; result: Session; socket: true };
  /** Begins the stream of events after a position. Everything since that concerns the caller follows as events. */
  "sync.start": { params: SyncParams; result: SyncStart; socket: true };
  /** Confirms that events up to a position have arrived on this device. Send it as a notification. */
  "sync.ack": { params: AckParams; result: Empty; socket: true };
  /** Heartbeat of the client. */
  "sync.ping": { params: Empty; result: Pong; socket: true };
  /** Finds messages of the caller's rooms by any part of two or more characters of their text, the names of their files or the text of their documents (plain text, HTML, docx, xlsx, pptx, odt, ods, odp), newest first. */
  "search.messages": { params: SearchParams; result: SearchResult; socket: false };
  /** Finds people, and rooms the caller is in or may join, by name, login, pinyin or initials. */
  "search.names": { params: NamesParams; result: NamesResult; socket: false };
  /** Throws the index of messages away and makes it anew, beside searches. */
  "search.rebuild": { params: Empty; result: Done; socket: false };
  /** Makes a hook and its bot. Moderators and owners of the room, admins anywhere but for outgoing ones; by default only admins choose the addresses that outgoing hooks and commands call. Address and secret are shown once. */
  "hook.create": { params: HookCreate; result: HookResult; socket: false };
  /** Hooks of a room, or all that the caller looks after. Other members see names only. */
  "hook.list": { params: HookListParams; result: HookList; socket: false };
  /** Changes a hook. */
  "hook.update": { params: HookUpdate; result: HookResult; socket: false };
  /** Removes a hook; its address is worthless at once and its bot leaves. */
  "hook.remove": { params: HookParam; result: Done; socket: false };
  /** Gives a hook a new token or secret; the old one is worthless at once. */
  "hook.rotate": { params: HookRotate; result: HookResult; socket: false };
  /** Deliveries of an outgoing hook that were given up. */
  "hook.dead": { params: HookParam; result: DeadList; socket: false };
  /** Puts dead letters back into the hook's queue. */
  "hook.retry": { params: DeadParams; result: DeadResult; socket: false };
  /** Throws dead letters away. */
  "hook.discard": { params: DeadParams; result: DeadResult; socket: false };
  /** Slash commands of a room, those of the client included. */
  "command.list": { params: RoomParam; result: CommandList; socket: false };
  /** Runs a slash command: its program is called and its answer told to the caller or posted to the room. */
  "command.run": { params: CommandRun; result: CommandAnswer; socket: false };
  /** Figures of the running server. */
  "server.status": { params: Empty; result: StatusResult; socket: false };
  /** Live connections. */
  "server.sessions": { params: Empty; result: SessionList; socket: false };
  /** All accounts, disabled ones too. */
  "user.list": { params: DirectoryParams; result: UserList; socket: false };
  /** All rooms, by name. */
  "room.all": { params: DiscoverParams; result: RoomList; socket: false };
  /** Any room, without being a member. */
  "room.inspect": { params: RoomParam; result: RoomResult; socket: false };
  /** A new one-time setup link; the earlier one is worthless. */
  "setup.link": { params: Empty; result: SetupLink; socket: false };
  /** Who did what to the server, newest first. An empty page with next set means: go on. */
  "audit.list": { params: AuditListParams; result: AuditList; socket: false };
  /** Bounds that an import must keep. */
  "import.limits": { params: Empty; result: ImportLimits; socket: false };
  /** Makes accounts for people of another system, without passwords. */
  "import.people": { params: ImportPeople; result: ImportRows; socket: false };
  /** Finds or makes the rooms of another system; they begin archived and without members. */
  "import.rooms": { params: ImportRooms; result: ImportRoomRows; socket: false };
  /** Finds files that were imported before. */
  "import.files": { params: ImportFiles; result: ImportRows; socket: false };
  /** Puts messages of another system, with their authors and times, at the end of a room that holds nothing else. They count as read and notify nobody. */
  "import.messages": { params: ImportMessages; result: ImportDone; socket: false };
  /** Gives an imported room its members and ends its archived state. */
  "import.open": { params: ImportOpen; result: Done; socket: false };
}
export type Method = keyof Methods;

/** Who may call a method: anybody; any account; auditors and above; admins and owners; the command line on the box. */
export type Access = "public" | "logged_in" | "sees" | "manages" | "operator";
export const access: { readonly [M in Method]: Access } = {
  "server.info": "public",
  "setup.complete": "public",
  "session.login": "public",
  "session.me": "logged_in",
  "session.confirm": "logged_in",
  "session.logout": "logged_in",
  "session.devices": "logged_in",
  "session.revoke": "logged_in",
  "account.password": "logged_in",
  "account.update": "logged_in",
  "invite.show": "public",
  "invite.accept": "public",
  "directory.list": "logged_in",
  "directory.get": "logged_in",
  "department.list": "logged_in",
  "department.put": "manages",
  "department.remove": "manages",
  "organisation.rename": "manages",
  "user.create": "manages",
  "user.update": "manages",
  "user.password": "manages",
  "user.token": "manages",
  "user.import": "manages",
  "invite.create": "manages",
  "invite.list": "sees",
  "invite.revoke": "manages",
  "room.list": "logged_in",
  "room.get": "logged_in",
  "room.discover": "logged_in",
  "room.create": "logged_in",
  "room.direct": "logged_in",
  "room.update": "logged_in",
  "room.join": "logged_in",
  "room.leave": "logged_in",
  "room.members": "logged_in",
  "room.add": "logged_in",
  "room.remove": "logged_in",
  "room.role": "logged_in",
  "room.history": "logged_in",
  "room.pins": "logged_in",
  "room.read": "logged_in",
  "room.typing": "logged_in",
  "message.send": "logged_in",
  "message.forward": "logged_in",
  "message.get": "logged_in",
  "message.edit": "logged_in",
  "message.revisions": "logged_in",
  "message.recall": "logged_in",
  "message.react": "logged_in",
  "message.pin": "logged_in",
  "message.readers": "logged_in",
  "message.journey": "logged_in",
  "notice.send": "logged_in",
  "notice.list": "logged_in",
  "notice.get": "logged_in",
  "notice.confirm": "logged_in",
  "notice.remind": "logged_in",
  "notice.close": "logged_in",
  "scheduled.create": "logged_in",
  "scheduled.list": "logged_in",
  "scheduled.update": "logged_in",
  "scheduled.remove": "logged_in",
  "scheduled.send": "logged_in",
  "file.get": "logged_in",
  "file.discard": "logged_in",
  "file.usage": "logged_in",
  "kv.get": "logged_in",
  "kv.put": "logged_in",
  "kv.list": "logged_in",
  "presence.watch": "logged_in",
  "session.authenticate": "public",
  "sync.start": "logged_in",
  "sync.ack": "logged_in",
  "sync.ping": "logged_in",
  "search.messages": "logged_in",
  "search.names": "logged_in",
  "search.rebuild": "operator",
  "hook.create": "logged_in",
  "hook.list": "logged_in",
  "hook.update": "logged_in",
  "hook.remove": "logged_in",
  "hook.rotate": "logged_in",
  "hook.dead": "logged_in",
  "hook.retry": "logged_in",
  "hook.discard": "logged_in",
  "command.list": "logged_in",
  "command.run": "logged_in",
  "server.status": "sees",
  "server.sessions": "sees",
  "user.list": "sees",
  "room.all": "operator",
  "room.inspect": "operator",
  "setup.link": "operator",
  "audit.list": "sees",
  "import.limits": "operator",
  "import.people": "operator",
  "import.rooms": "operator",
  "import.files": "operator",
  "import.messages": "operator",
  "import.open": "operator",
};

/** Methods that need a WebSocket. */
export const socketOnly: readonly Method[] = [
  "room.typing",
  "presence.watch",
  "session.authenticate",
  "sync.start",
  "sync.ack",
  "sync.ping",
];

/** An event. Those that are records carry a position and come again after an absence. */
export type Event =
  /** A new entry of a room. */
  | { type: "message"; position: number; data: Message }
  /** The message as it is after an edit. */
  | { type: "edited"; position: number; data: Message }
  /** The message after it was taken back. */
  | { type: "recalled"; position: number; data: Message }
  /** A reaction was put or taken away. */
  | { type: "reaction"; position: number; data: ReactionChange }
  /** A message was pinned or unpinned. */
  | { type: "pinned"; position: number; data: PinChange }
  /** A thread has a new reply. */
  | { type: "thread"; position: number; data: ThreadChange }
  /** A read mark moved: one's own always, others' in small rooms. */
  | { type: "read"; position: number; data: ReadChange }
  /** A room's name, topic or archive changed. */
  | { type: "room"; position: number; data: RoomChange }
  /** The caller became a member: ask room.get. */
  | { type: "joined"; position: number; data: RoomRef }
  /** The caller is no longer a member: forget the room. */
  | { type: "left"; position: number; data: RoomRef }
  /** Members or their roles changed. */
  | { type: "members"; position: number; data: MembersChanged }
  /** A profile changed or an account was made. */
  | { type: "user"; position: number; data: User }
  /** The tree of departments changed. */
  | { type: "department"; position: number; data: DepartmentChanged }
  /** An entry of the caller's key-value store changed. */
  | { type: "kv"; position: number; data: KVChange }
  /** The caller's list of devices changed. */
  | { type: "devices"; position: number; data: DevicesChanged }
  /** A notice was sent, confirmed, reminded of or closed. */
  | { type: "notice"; position: number; data: NoticeChange }
  /** A scheduled message of the caller was put, removed, sent or could not be sent. */
  | { type: "scheduled"; position: number; data: ScheduledChange }
  /** Somebody is typing; true for 5 seconds. */
  | { type: "typing"; position?: undefined; data: Typing }
  /** Presence of watched people changed. */
  | { type: "presence"; position?: undefined; data: PresenceList }
  /** Devices received or acknowledged messages. */
  | { type: "receipts"; position?: undefined; data: ReceiptList }
  /** The server stops; reconnect after the time given. */
  | { type: "drain"; position?: undefined; data: Drain }
  /** This connection fell too far behind: call sync.start again. */
  | { type: "reset"; position?: undefined; data: ResetNotice };

/** Limits of the protocol. */
export const limits = {
  /** nesting of JSON in a frame or body */
  MaxDepth: 16,
  /** bytes of a JSON-RPC id */
  MaxRequestID: 64,
  /** files in one message */
  MaxFiles: 20,
  /** people mentioned in one message */
  MaxMentions: 100,
  /** bytes of a reaction */
  MaxEmoji: 32,
  /** different reactions under one message */
  MaxReactions: 50,
  /** bytes of a foreign payload */
  MaxForeign: 16384,
  /** bytes of a value in the key-value store */
  MaxKVValue: 16384,
  /** bytes of a key in the key-value store */
  MaxKVKey: 128,
  /** entries per person and per device */
  MaxKVEntries: 500,
  /** characters of a name */
  MaxName: 100,
  /** characters of a topic */
  MaxTopic: 500,
  /** bytes of a password, at least */
  MinPassword: 8,
  /** bytes of a password, at most */
  MaxPassword: 256,
  /** members up to which receipts travel live in a group */
  LiveReceipts: 50,
  /** pinned messages in a room */
  MaxPinned: 100,
  /** messages found in one page */
  SearchPage: 50,
  /** people, and rooms, found by name */
  NamesPage: 50,
  /** keywords or trigger words of a hook */
  MaxHookWords: 20,
  /** hooks in a room */
  MaxHooksPerRoom: 100,
  /** hooks made by one person who is no admin */
  MaxHooksPerPerson: 100,
  /** hooks in all */
  MaxHooks: 2000,
  /** entries of one call of import.* */
  MaxImport: 500,
  /** bytes of a notice */
  MaxNoticeText: 16384,
  /** rooms that one notice addresses */
  MaxNoticeRooms: 50,
  /** departments that one notice addresses */
  MaxNoticeDepartments: 100,
  /** people that an admin or owner addresses by name */
  MaxNoticeUsers: 500,
  /** people that anybody else addresses by name */
  MaxNoticeUsersPlain: 20,
  /** open notices of one author */
  MaxNoticesOpen: 100,
  /** notices of one author in 24 hours */
  MaxNoticesDay: 1000,
  /** people asked by the notices of one author in 24 hours */
  MaxNoticePeopleDay: 1000000,
  /** automatic reminders of one notice */
  MaxReminders: 50,
  /** entries of the audit in one page */
  AuditPage: 200,
  /** bytes of action, role and address of an entry of the audit */
  MaxAuditWord: 64,
  /** bytes of name, object and detail of an entry of the audit, each */
  MaxAuditText: 2000,
  /** scheduled messages of one person */
  MaxScheduled: 100,
} as const;
