#!/usr/bin/env node
import { loadProgram } from './loadProgram';

const [, , command = ''] = process.argv;
void loadProgram(/^[a-z]+$/.test(command) ? `slipway-${command}` : 'slipway').slipway();
