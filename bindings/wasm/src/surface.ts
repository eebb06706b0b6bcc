export { Chat } from "./chat.js";
export type * from "./chat_types.js";
export { Account, Blobs, Core, Drafts, Sync } from "./core.js";
export { CoreError, type ErrorCode } from "./errors.js";
export { Doc, Stroke, View } from "./doc.js";
export {
    type Recorded, Recorder, type RecorderCommand, type RecorderLook, type RecorderOptions, type RecorderState,
    Timeline, type TimelineState, Voice,
} from "./voice.js";
export type { PutOptions } from "./upload.js";
export type { Fonts } from "./loader.js";
export type * from "./models.js";
export { SCHEMA_VERSION } from "./models.js";
export type * from "./types.js";
export { newId } from "./id.js";
