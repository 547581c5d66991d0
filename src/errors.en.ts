/** Every text the service can say, in English. `{names}` are filled with the values of the message. */
export const texts = {
  internal: 'The service failed to answer; the fault has been logged.',
} as const;
