// What one puts into other programs so that they post to a room.

export interface Example {
  name: string;
  lines: string;
}

// examples are ready to be pasted. dingtalk is the same address in the form of
// DingTalk's robots; secret is empty when the hook wants no proof.
export function examples(url: string, dingtalk: string, secret: string): Example[] {
  const quote = (s: string) => "'" + s.replaceAll("'", "'\\''") + "'";
  const bearer = secret ? " -H " + quote("Authorization: Bearer " + secret) : "";
  const out: Example[] = [
    { name: "curl", lines: `curl -H 'Content-Type: application/json'${bearer} \\\n  -d '{"text": "Hello *everybody*"}' \\\n  ${quote(url)}` },
  ];
  if (dingtalk) {
    out.push({ name: "DingTalk", lines: `webhook = ${dingtalk}` + (secret ? `\nsecret = ${secret}` : "") +
      `\n\n{"msgtype": "markdown", "markdown": {"title": "Build", "text": "**Build 42** has finished"}}` });
  }
  out.push(
    { name: "Grafana", lines: `Alerting > Contact points > Webhook\nURL: ${url}\nHTTP Method: POST` + (secret ? `\nAuthorization Header - Scheme: Bearer\nAuthorization Header - Credentials: ${secret}` : "") },
    { name: "Alertmanager", lines: `receivers:\n  - name: chat\n    webhook_configs:\n      - url: ${quote(url).replaceAll("'\\''", "''")}\n        send_resolved: true` +
      (secret ? `\n        http_config:\n          authorization:\n            type: Bearer\n            credentials: ${quote(secret).replaceAll("'\\''", "''")}` : "") });
  return out;
}

// words are what somebody writes with commas, spaces or lines between.
export function words(text: string): string[] {
  return [...new Set(text.split(/[\s,，、;；]+/).filter(Boolean))];
}
