// A foreign OpenID provider for the gateway's tests: oidc-provider, configured so that its access tokens are
// RFC 9068 JWTs with the claims that a citizen's token carries, or opaque, to be introspected (RFC 7662). Every key is
// made by this process and dies with it.
//
// Environment: FOREIGN_CLIENT_SECRET (required), the secret of every client below; FOREIGN_CLIENT_JWK (required), the
// public key of the client that authenticates by private_key_jwt.
// Orders, as POST with the client "operator": /control/rotate signs with new keys and goes on publishing the old ones;
// /control/drop-old publishes the keys that sign, and no others; /control/logout-uri?to=<URL> registers where the portal
// is told of logouts (OpenID Connect Back-Channel Logout 1.0), which are not told before; /control/logouts answers with
// the number of logouts that were told and of those that were not, as JSON.
// Output: one line, "listening <issuer>", when requests are served. Ends on SIGTERM or when stdin closes.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';
import { adapter } from './store.mjs';

const { FOREIGN_CLIENT_SECRET: secret, FOREIGN_CLIENT_JWK: clientKey } = process.env;
if (!secret || !clientKey) {
  console.error('FOREIGN_CLIENT_SECRET or FOREIGN_CLIENT_JWK is not set');
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
let generation = 0;
function newKeys() {
  generation += 1;
  const suffix = generation > 1 ? `-${generation}` : '';
  return Object.entries(ALGORITHMS).map(([alg, [type, options]]) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
    kid: `foreign-${alg.toLowerCase()}${suffix}`,
    use: 'sig',
    alg,
  }));
}

// One protected resource for each algorithm, and one with opaque tokens; its name is the last part of the resource
// indicator.
const resourceServer = (name, format) => [
  `https://tthc.example/${name}`,
  { scope: 'ho-so', audience: `tthc-${name.toLowerCase()}`, accessTokenTTL: TOKEN_SECONDS, ...format },
];
const resourceServers = new Map([
  ...Object.keys(ALGORITHMS).map((alg) => resourceServer(alg, { accessTokenFormat: 'jwt', jwt: { sign: { alg } } })),
  resourceServer('opaque', { accessTokenFormat: 'opaque' }),
]);

// A login's code carries when, how and in which session; a client's own token is its authentication, here and now.
function tokenClaims(ctx, token) {
  const code = ctx.oidc.entities.AuthorizationCode;
  return {
    ...ACCOUNTS[token.accountId ?? token.clientId],
    azp: token.clientId,
    acr: code?.acr ?? '1',
    auth_time: code?.authTime ?? Math.floor(Date.now() / 1000),
    sid: code?.sid,
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

// Who may ask about tokens, and nothing else.
const INTROSPECTORS = ['gateway', 'gateway-key'];
// Who may revoke anyone's token: the provider's own staff.
const OPERATOR = 'operator';

// The client that people log in to.
const portal = {
  client_id: 'portal',
  client_secret: secret,
  grant_types: ['authorization_code'],
  response_types: ['code'],
  redirect_uris: ['https://portal.example/callback'],
  backchannel_logout_session_required: true, // tokens of a login name its session, too
};

const configuration = {
  adapter,
  cookies: { keys: [randomBytes(32).toString('hex')] },
  clients: [
    ...Object.keys(ACCOUNTS).map(machineClient),
    { ...machineClient('gateway'), grant_types: [] },
    {
      ...machineClient('gateway-key'),
      client_secret: undefined,
      grant_types: [],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [JSON.parse(clientKey)] },
    },
    { ...machineClient(OPERATOR), grant_types: [] },
    portal,
  ],
  enabledJWA: { idTokenSigningAlgValues: Object.keys(ALGORITHMS) },
  acrValues: ['1', '2'],
  scopes: ['openid'],
  claims: { openid: ['sub'], acr: null, auth_time: null },
  // The provider talks to nobody but the tests, on the loopback interface, where it would not go by itself.
  fetch: (url, { dispatcher: _guard, ...options }) => fetch(url, options),
  features: {
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: async (_ctx, client) => INTROSPECTORS.includes(client.clientId) },
    revocation: { enabled: true, allowedPolicy: async (_ctx, client) => client.clientId === OPERATOR },
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

// A provider's keys are fixed, so a rotation is a new provider of the same issuer with the same store.
function rotation(issuer) {
  let signing = newKeys();
  let old = [];
  let callback;
  const logouts = { told: 0, untold: 0 };
  const publish = () => {
    // The first key of an algorithm signs.
    const provider = new Provider(issuer, { ...configuration, jwks: { keys: [...signing, ...old] } });
    provider.on('server_error', (_ctx, err) => console.error(err));
    provider.on('backchannel.success', () => { logouts.told += 1; });
    provider.on('backchannel.error', () => { logouts.untold += 1; });
    const serve = provider.callback();
    callback = (req, res) => {
      if (!req.url.startsWith('/interaction/')) {
        serve(req, res);
        return;
      }
      login(provider, req, res).catch((err) => {
        console.error(err);
        res.writeHead(500).end();
      });
    };
  };
  publish();
  const orders = {
    '/control/rotate': () => {
      old = signing;
      signing = newKeys();
      publish();
    },
    '/control/drop-old': () => {
      old = [];
      publish();
    },
    '/control/logout-uri': (query) => {
      portal.backchannel_logout_uri = query.get('to');
      publish();
    },
    '/control/logouts': () => logouts,
  };
  return { orders, serve: (req, res) => callback(req, res) };
}

const operator = `Basic ${Buffer.from(`${OPERATOR}:${secret}`).toString('base64')}`;

function obey(order, query, req, res) {
  if (req.method !== 'POST' || req.headers.authorization !== operator) {
    res.writeHead(403).end();
    return;
  }
  const said = order(query);
  res.writeHead(200).end(said && JSON.stringify(said));
}

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const { orders, serve } = rotation(issuer);
  server.on('request', (req, res) => {
    const [path, query] = req.url.split('?', 2);
    const order = Object.hasOwn(orders, path) ? orders[path] : undefined;
    if (order) obey(order, new URLSearchParams(query), req, res);
    else serve(req, res);
  });
  console.log(`listening ${issuer}`);
});

const stop = () => process.exit(0);
process.on('SIGTERM', stop);
process.stdin.on('close', stop).resume();
