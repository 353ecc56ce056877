// An identity provider for the tests: oidc-provider with its own keys, clients and one grant of ours.
//
//   node server.mjs PORT CERTIFICATE KEY AUTHORITY [BACK]
//
// listens on https://127.0.0.1:PORT. Clients: "viewer" asks for tokens of persons (the grant below, which
// stands for a login in a browser), "router" for its own (client_credentials), "modality" for its own, bound
// to the certificate that it shows (RFC 8705 3). With BACK also "dashboard", to which browsers come back there.
// POST /control/rotate replaces all keys; POST /control/roles?NAME=ROLE says what somebody is from now on.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const [port, certificate, key, authority, back] = process.argv.slice(2);
const ISSUER = `https://127.0.0.1:${port}`;
const PERSON = 'urn:example:grant:person';
const SECRET = 'only-on-loopback';

function freshKeys() {
  const pairs = [
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ed25519'),
  ];
  return pairs.map(({ privateKey }) => ({
    ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: randomUUID(),
  }));
}

function resource(identifier, alg) {
  return {
    audience: identifier, scope: 'dicom', accessTokenTTL: 600, accessTokenFormat: 'jwt', jwt: { sign: { alg } },
  };
}

function client(name, ...grants) {
  return {
    client_id: name, client_secret: SECRET, grant_types: grants, redirect_uris: [], response_types: [],
  };
}

const ofPeople = new URLSearchParams();

const dashboards = back ? [{
  ...client('dashboard', 'authorization_code'), redirect_uris: [back], response_types: ['code'],
}] : [];

// The token endpoint signs what the provider makes of a request; a test may ask for other claims and headers.
function altered(ctx, token, jwt) {
  const { claims, header } = ctx.oidc.params;
  Object.assign(jwt.payload, JSON.parse(claims ?? '{}'));
  jwt.header = JSON.parse(header ?? '{}');
}

async function person(ctx) {
  const { oidc: { client: asking, provider, params } } = ctx;
  const { audience, alg = 'RS256', subject } = params;
  const token = new provider.AccessToken({ accountId: subject, client: asking, gty: 'person', scope: 'dicom' });
  token.resourceServer = new provider.ResourceServer(audience, resource(audience, alg));
  ctx.body = { access_token: await token.save(), token_type: token.tokenType, expires_in: token.expiration };
}

function peerCertificate(ctx) {
  const { raw } = ctx.socket.getPeerCertificate();
  return raw && `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----`;
}

function identityProvider() {
  const provider = new Provider(ISSUER, {
    jwks: { keys: freshKeys() },
    scopes: ['dicom', 'openid', 'profile'],
    claims: { openid: ['sub', 'roles'], profile: ['name', 'preferred_username'] },
    conformIdTokenClaims: false,
    clients: [
      client('viewer', PERSON),
      client('router', 'client_credentials'),
      { ...client('modality', 'client_credentials'), tls_client_certificate_bound_access_tokens: true },
      ...dashboards,
    ],
    features: {
      devInteractions: { enabled: Boolean(back) },
      clientCredentials: { enabled: true },
      mTLS: { enabled: true, certificateBoundAccessTokens: true, getCertificate: peerCertificate },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, identifier) => resource(identifier, 'ES256'),
      },
    },
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, roles: ofPeople.getAll(id), name: `${id} of the tests`, preferred_username: id }),
    }),
    formats: { customizers: { jwt: altered } },
  });
  provider.registerGrantType(PERSON, person, ['subject', 'audience', 'alg', 'claims', 'header']);
  return provider.callback();
}

let answer = identityProvider();

createServer(
  {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ca: readFileSync(authority),
    requestCert: true,
    rejectUnauthorized: false,
  },
  (request, response) => {
    if (request.method === 'POST' && request.url === '/control/rotate') {
      answer = identityProvider();
      response.writeHead(204).end();
    } else if (request.method === 'POST' && request.url.startsWith('/control/roles?')) {
      for (const [name, role] of new URL(request.url, ISSUER).searchParams) ofPeople.set(name, role);
      response.writeHead(204).end();
    } else {
      answer(request, response);
    }
  },
).listen(Number(port), '127.0.0.1');
