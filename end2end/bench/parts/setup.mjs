// Starting a setup without a browser.

/** Reviews and starts as the wizard's last pages do. `application`: as the cloud tells of one that it made. */
export async function startSetup({ portal, cookie, customer, domain, application, group }) {
  const [senders, refused] = [[`reception@${domain}`], [`info@${domain}`]];
  const headers = { accept: "application/json", origin: portal, cookie };
  const post = async (what, type, body) => {
    const answer = await fetch(`${portal}/api/${what}`, { method: "POST", headers: { ...headers, "content-type": type }, body });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${domain}: ${what} answers ${answer.status}: ${text}`);
    return text;
  };
  const choices = { application: application.object_id, group, senders, refused, prove: true };
  const review = await post("review", "application/json", JSON.stringify({ customer, draft: choices }));
  const { digest, text } = JSON.parse(review).shown;
  const draft = new URLSearchParams({ app: application.object_id, group, sender: senders[0], refused: refused[0], prove: "1" });
  const fields = new URLSearchParams({ customer, draft: draft.toString(), digest, shown: text, secret: application.secret });
  await post("start_setup", "application/x-www-form-urlencoded", fields.toString());
}
