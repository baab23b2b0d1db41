// A real OpenID provider (npm oidc-provider, certified) for the sign-in tests. Everybody in it is invented (演示数据).
// Usage: node provider.mjs <folder with node_modules> <port> <settings as JSON>
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { generateKeyPairSync, randomUUID } from "node:crypto";

const [, , modules, port, text] = process.argv;
const settings = JSON.parse(text);
const require = createRequire(modules + "/package.json");
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

function key(kind) {
  const made = kind === "ES256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...made.privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: kind };
}

const people = {
  lin: { name: "林晓晴", citizen_id: "320211199610141026" },
  nobody: { name: "没有实名" },
  broken: { name: "号码不对", citizen_id: "320211199610141027" },
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: settings.clients,
  jwks: { keys: [key("RS256"), key("ES256")] },
  cookies: { keys: [randomUUID()] },
  claims: { openid: ["sub"], profile: ["name", "citizen_id"] },
  conformIdTokenClaims: settings.conform ?? true,
  pkce: { required: () => true },
  ttl: { IdToken: settings.idTokenSeconds ?? 600, AccessToken: 600, AuthorizationCode: 60, Grant: 600, Interaction: 600, Session: 600 },
  features: { devInteractions: { enabled: true } },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
});

provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
