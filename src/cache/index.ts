export { createRefreshing } from './refreshing.js';
