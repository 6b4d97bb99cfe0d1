import { Box, Circle, Shape } from './shapes';

function largest<T extends Shape>(shapes: T[]): T | undefined {
  return shapes.reduce<T | undefined>((best, shape) => (best && best.area() >= shape.area() ? best : shape), undefined);
}

const shapes: Shape[] = [new Circle(3), new Box([4, 8])];
export const winner = largest(shapes)?.name ?? 'none';
