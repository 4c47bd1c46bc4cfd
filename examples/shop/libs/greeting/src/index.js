'use strict';

exports.greeting = (shopName) => `Welcome to ${shopName}`;
