import { isIPv6 } from 'node:net';

/** Who an address belongs to, for counting: an IPv4 address stands for itself; whoever has one address of IPv6 has 2^64 (RFC 6177), so its /64 does. */
export function networkOf(address: string): string {
  return prefixOf(address, 4);
}

/** As `networkOf`, for shares: whoever has a /64 may as well have 2^16 of them, as many as a site is given at most (RFC 6177, section 2), so its /48 stands for all. */
export function siteOf(address: string): string {
  return prefixOf(address, 3);
}

function prefixOf(address: string, groupsKept: number): string {
  if (!isIPv6(address)) return address;
  // RFC 4291, section 2.5.5.2: what a socket that takes both calls a client of IPv4.
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const left = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(left).fill('0'), ...after];
  return `${groups.slice(0, groupsKept).join(':')}::/${16 * groupsKept}`;
}

function groupsOf(text: string): readonly string[] {
  if (text === '') return [];
  return text.split(':').map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
}
