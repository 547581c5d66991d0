export { createRefreshing, type Refreshing } from './refreshing.js';
