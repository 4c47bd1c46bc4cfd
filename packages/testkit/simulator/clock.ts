interface Appointment {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

/** Virtual time: what is due next happens next, at once. */
export class Clock {
  now = 0;
  private order = 0;
  private readonly appointments: Appointment[] = [];

  after(delayMs: number, act: () => void): void {
    const appointment = { at: this.now + delayMs, order: this.order, act };
    this.order += 1;
    let low = 0;
    let high = this.appointments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.appointments[middle];
      if (other && (other.at > appointment.at || (other.at === appointment.at && other.order > appointment.order))) low = middle + 1;
      else high = middle;
    }
    this.appointments.splice(low, 0, appointment);
  }

  /** Does the next thing that is due until `end`; false when there is none. */
  step(end: number): boolean {
    const next = this.appointments.at(-1);
    if (!next || next.at > end) return false;
    this.appointments.pop();
    this.now = Math.max(this.now, next.at);
    next.act();
    return true;
  }
}
