export { createApp, type HttpConfig, type Module } from './app.js';
export { createHttpServer, type HttpServerOptions, stop } from './server.js';
