# The service, compiled in one stage and run in another, by a user without rights on a file system it need not write to.
ARG NODE=node:20-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json tsconfig.browser.json ./
COPY scripts scripts
COPY openapi openapi
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && find dist node_modules \( -name '*.map' -o -name '*.d.ts' -o -name '*.md' \) -type f -delete

FROM ${NODE}
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8091
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/openapi openapi
COPY --from=build /app/dist dist
COPY LICENSE ./
USER node
EXPOSE 8091
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# as `npm start`, without npm, which does not pass signals on, and without the compiler
CMD ["node", "--max-semi-space-size=8", "--no-allocation-site-pretenuring", "--expose-gc", "dist/main.js"]
