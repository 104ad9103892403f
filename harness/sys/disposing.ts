/** Runs a step with a resource and frees it after: `using`, for tools that do not read that declaration yet. */
export function disposing<T extends Disposable, R>(resource: T, step: (resource: T) => R): R {
  try {
    return step(resource);
  } finally {
    resource[Symbol.dispose]();
  }
}
