'use strict';

const items = [
  { name: 'rope', cents: 1250, count: 2 },
  { name: 'anchor', cents: 9900, count: 1 },
];

exports.basket = {
  items,
  total: () => items.reduce((sum, item) => sum + item.cents * item.count, 0),
};
