// A foreign OpenID provider for the gateway's tests: oidc-provider, configured so that its access tokens are
// RFC 9068 JWTs with the claims that a citizen's token carries. Every key is made at start and dies with the process.
//
// Environment: FOREIGN_CLIENT_SECRET (required), the secret of every client below.
// Output: one line, "listening <issuer>", when requests are served. Ends on SIGTERM or when stdin closes.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';

const secret = process.env.FOREIGN_CLIENT_SECRET;
if (!secret) {
  console.error('FOREIGN_CLIENT_SECRET is not set');
  process.exit(2);
}

const TOKEN_SECONDS = 30 * 60;
const ALGORITHMS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
};

// Numbers that start with 000 belong to nobody: no province has that code.
const ACCOUNTS = {
  citizen2: { account_type: '1', account_level: 2, preferred_username: '000000000002' },
  citizen1: { account_type: '1', account_level: 1, preferred_username: '000000000001' },
  organisation: { account_type: '2', preferred_username: '0000000000' },
};

// One key for each algorithm, bound to it by "alg", so that a test can tell a wrong choice of key from a right one.
const keys = Object.entries(ALGORITHMS).map(([alg, [type, options]]) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  kid: `foreign-${alg.toLowerCase()}`,
  use: 'sig',
  alg,
}));

// One protected resource for each algorithm; its name is the last part of the resource indicator.
const resourceServers = new Map(Object.keys(ALGORITHMS).map((alg) => [
  `https://tthc.example/${alg}`,
  {
    scope: 'ho-so',
    audience: `tthc-${alg.toLowerCase()}`,
    accessTokenTTL: TOKEN_SECONDS,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg } },
  },
]));

// A login's code carries when and how; a client's own token is its authentication, here and now.
function tokenClaims(ctx, token) {
  const code = ctx.oidc.entities.AuthorizationCode;
  return {
    ...ACCOUNTS[token.accountId ?? token.clientId],
    azp: token.clientId,
    acr: code?.acr ?? '1',
    auth_time: code?.authTime ?? Math.floor(Date.now() / 1000),
  };
}

// Consent is given beforehand: the person at the door of a test is a cookie jar.
async function grantEverything(ctx) {
  const grant = new ctx.oidc.provider.Grant({
    clientId: ctx.oidc.client.clientId,
    accountId: ctx.oidc.session.accountId,
  });
  grant.addOIDCScope('openid');
  for (const [indicator, { scope }] of resourceServers) grant.addResourceScope(indicator, scope);
  await grant.save();
  return grant;
}

const machineClient = (id) => ({
  client_id: id,
  client_secret: secret,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
});

const configuration = {
  jwks: { keys },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  clients: [
    ...Object.keys(ACCOUNTS).map(machineClient),
    {
      client_id: 'portal',
      client_secret: secret,
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: ['https://portal.example/callback'],
    },
  ],
  enabledJWA: { idTokenSigningAlgValues: Object.keys(ALGORITHMS) },
  acrValues: ['1', '2'],
  scopes: ['openid'],
  claims: { openid: ['sub'], acr: null, auth_time: null },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: async () => true,
      getResourceServerInfo: async (_ctx, indicator) => {
        const server = resourceServers.get(indicator);
        if (!server) throw new Error('unknown resource');
        return server;
      },
    },
  },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant: grantEverything,
  findAccount: async (_ctx, id) => (id in ACCOUNTS ? { accountId: id, claims: async () => ({ sub: id }) } : undefined),
  extraTokenClaims: tokenClaims,
  ttl: {
    AccessToken: TOKEN_SECONDS,
    AuthorizationCode: 60,
    ClientCredentials: TOKEN_SECONDS,
    Grant: TOKEN_SECONDS,
    IdToken: TOKEN_SECONDS,
    Interaction: 60,
    Session: TOKEN_SECONDS,
  },
};

// The login page that is not one: whoever login_hint names is logged in.
async function login(provider, req, res) {
  const { params } = await provider.interactionDetails(req, res);
  const known = params.login_hint in ACCOUNTS;
  await provider.interactionFinished(req, res, known
    ? { login: { accountId: params.login_hint, acr: '2' } }
    : { error: 'access_denied', error_description: 'login_hint names no account' });
}

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  provider.on('server_error', (_ctx, err) => console.error(err));
  const callback = provider.callback();
  server.on('request', (req, res) => {
    if (!req.url.startsWith('/interaction/')) {
      callback(req, res);
      return;
    }
    login(provider, req, res).catch((err) => {
      console.error(err);
      res.writeHead(500).end();
    });
  });
  console.log(`listening ${issuer}`);
});

const stop = () => process.exit(0);
process.on('SIGTERM', stop);
process.stdin.on('close', stop).resume();
