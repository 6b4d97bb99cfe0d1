export interface Shape {
  readonly name: string;
  area(): number;
}

export class Circle implements Shape {
  readonly name = 'circle';
  constructor(private readonly radius: number) {}
  area(): number {
    return Math.round(Math.PI * this.radius ** 2);
  }
}

export class Box implements Shape {
  readonly name = 'box';
  constructor(private readonly sides: [number, number]) {}
  area(): number {
    return this.sides[0] * this.sides[1];
  }
}
