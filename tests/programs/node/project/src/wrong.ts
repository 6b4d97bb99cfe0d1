import { Box } from './shapes';

export const wrong: string = new Box([1, 2]).area();
