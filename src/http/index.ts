export { createApp, type HttpConfig, type Module } from './app.js';
export { createHttpServer, stop } from './server.js';
