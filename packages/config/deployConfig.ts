/** The part of a slipway.yaml about what is deployed besides plain manifests. */
export interface ApplyConfig {
  readonly force?: boolean;
  readonly fieldManager?: string;
  readonly rollOnConfigChange?: boolean;
  readonly createNamespace?: boolean;
  readonly images?: readonly { readonly kind: string; readonly path: string }[];
  readonly hydrate?: readonly string[];
  readonly fetchManifests?: boolean;
}

export interface KustomizeConfig {
  readonly paths: readonly string[];
  readonly buildArgs?: readonly string[];
}

export interface HelmConfig {
  readonly releases: readonly HelmReleaseConfig[];
}

export interface HelmReleaseConfig {
  readonly name: string;
  readonly chartPath?: string;
  readonly chart?: string;
  readonly repo?: string;
  readonly plainHttp?: boolean;
  readonly version?: string;
  readonly namespace?: string;
  readonly createNamespace?: boolean;
  readonly valuesFiles?: readonly string[];
  readonly values?: Readonly<Record<string, unknown>>;
  readonly setValues?: Readonly<Record<string, string | number | boolean>>;
  readonly setValueTemplates?: Readonly<Record<string, string>>;
  readonly setFiles?: Readonly<Record<string, string>>;
  readonly images?: Readonly<Record<string, string>>;
  readonly imageStrategy?: 'fqn' | 'repository+tag' | 'registry+repository+tag';
  readonly wait?: boolean;
  /** Of Skaffold; it changes nothing. */
  readonly skipTests?: boolean;
  readonly timeout?: number;
}
