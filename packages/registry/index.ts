export * from './chooseDelivery';
export type * from './delivery';
