/** The proxies of the environment, as curl and its kin read them. */
export interface ProxySettings {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  /** Comma list of hosts, with or without a leading dot or `*.`, a port behind; `*` for all. */
  readonly noProxy?: string | undefined;
}

/** The proxy that requests to `url` go through; undefined: none. */
export function toProxy(
  url: string,
  { httpProxy, httpsProxy, noProxy = '' }: ProxySettings,
): string | undefined {
  const { protocol, hostname, port } = new URL(url.replaceAll('{apikey}', 'apikey'));
  const host = hostname.toLowerCase();
  const isExempt = noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      const [, name = '', itsPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (itsPort !== undefined && itsPort !== (port || (protocol === 'https:' ? '443' : '80'))) return false;
      const suffix = name.replace(/^\*?\.?/, '');
      return name === '*' || host === suffix || (suffix !== '' && host.endsWith(`.${suffix}`));
    });
  return isExempt ? undefined : protocol === 'https:' ? httpsProxy : httpProxy;
}
