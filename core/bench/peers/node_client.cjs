// `node node_client.cjs KIND URL MESSAGES CONCURRENCY`: messaging-api-messenger, single or in batches of 50.
const { MessengerClient, MessengerBatch } = require('messaging-api-messenger');
const [kind, url, messages, concurrency] = process.argv.slice(2);
const total = Number(messages);
const text = 'Chào Lan, hàng mới đã về, mời bạn ghé xem!';
const client = new MessengerClient({ accessToken: 'page-token', version: '8.0', origin: url, skipAppSecretProof: true });

const jobs = {
  single: { step: 1, run: (n) => client.sendText({ oneTimeNotifToken: `token-${n}` }, text) },
  batch: {
    step: 50,
    run: (n) => client.sendBatch(
      Array.from({ length: Math.min(50, total - n) }, (_, i) => MessengerBatch.sendText(String(n + i), text)),
    ),
  },
};

async function main() {
  const { step, run } = jobs[kind];
  let next = 0;
  const lane = async () => {
    while (next < total) {
      const n = next;
      next += step;
      await run(n);
    }
  };
  const cpu = process.cpuUsage();
  const began = process.hrtime.bigint();
  await Promise.all(Array.from({ length: Number(concurrency) }, lane));
  const used = process.cpuUsage(cpu);
  console.log(JSON.stringify({
    seconds: Number(process.hrtime.bigint() - began) / 1e9,
    cpu_seconds: (used.user + used.system) / 1e6,
    messages: total,
    peak_mb: process.resourceUsage().maxRSS / 1024,
  }));
}

main().catch((problem) => { console.error(String(problem)); process.exit(1); });
