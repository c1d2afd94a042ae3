// What the console uses of htmx; the library's own description is larger than
// the library.
interface Internal {
  initSecurity(policy: { createHTML(text: string): unknown; createScript(text: string): unknown }): void;
}
declare const htmx: {
  process(e: Element): void;
  registerExtension(name: string, extension: { init?(api: Internal): void }): boolean;
  config: Record<string, unknown>;
};
export default htmx;
