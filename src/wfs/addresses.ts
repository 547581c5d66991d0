import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Loopback, private, link-local and all else that is not a place on the public Internet; also as IPv6 writes IPv4. */
export function isPrivateAddress(address: string): boolean {
  const [plain = ''] = address.split('%'); // a zone
  return !ipaddr.isValid(plain) || ipaddr.process(plain).range() !== 'unicast';
}

/** A name that is not looked up, because it is an address itself. */
export function isPrivateHost(hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) !== 0 && isPrivateAddress(address);
}

export const PRIVATE_ADDRESS = 'EPRIVATE';

/** Looks a name up where the connection is made, so that no second answer of the DNS can come in between. */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  const all = { ...options, all: true } as LookupAllOptions;
  lookup(hostname, all, (error, addresses) => {
    if (error) callback(error, '');
    else if (addresses.some(({ address }) => isPrivateAddress(address))) callback(toRefused(hostname), '');
    else if (options.all) callback(null, addresses);
    else callback(null, (addresses[0] as LookupAddress).address, addresses[0]?.family);
  });
};

function toRefused(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} is at a private address`), { code: PRIVATE_ADDRESS });
}
