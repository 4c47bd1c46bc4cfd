'use strict';

/** Cents as a price: `formatPrice(1250, 'EUR')` is `€12.50`. */
exports.formatPrice = (cents, currency) => new Intl.NumberFormat('en', { style: 'currency', currency }).format(cents / 100);
