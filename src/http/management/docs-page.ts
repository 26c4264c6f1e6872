import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

import { sendJson } from '../answers.js';

/** The description, for programs. */
export const DOCUMENT = '/api/v1/openapi.json';
const PAGE = '/api/docs';

// All of the page is this server's. Nothing is upgraded to https: a registry in a private network may have none.
const PAGE_POLICY = [
  "default-src 'none'",
  "base-uri 'none'",
  "connect-src 'self'",
  "font-src 'self' data:",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "script-src 'self'",
  // The one style that the library puts into the page by itself.
  "style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
].join('; ');

/** Serves the description, and a page to read it. */
export function registerDescription(app: FastifyInstance, description: object): void {
  void app.register(async (docs) => {
    docs.route({
      method: 'GET',
      url: DOCUMENT,
      exposeHeadRoute: true,
      handler: (_request, reply) => sendJson(reply, 200, description),
    });
    // The page has none of its own, and a phone would show it as wide as a desk.
    docs.addHook('onSend', (_request, _reply, payload, done) => {
      const viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">';
      done(
        null,
        typeof payload === 'string' ? payload.replace('<meta charset="UTF-8">', (charset) => charset + viewport) : payload,
      );
    });
    await docs.register(swagger, { mode: 'static', specification: { document: description as never } });
    await docs.register(swaggerUi, {
      routePrefix: PAGE,
      staticCSP: PAGE_POLICY,
      uiConfig: {
        // Else the page asks a server on the internet for a badge.
        validatorUrl: null,
        docExpansion: 'list',
        deepLinking: true,
        defaultModelsExpandDepth: 0,
      },
      theme: { title: 'Artifact Store' },
    });
  });
}
