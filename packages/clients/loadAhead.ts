import { doors } from './doors';

/** Loads what engines and clusters are spoken to with, before anybody asks for it. */
export function loadAhead(): void {
  doors.kubernetes();
  doors.docker();
}
