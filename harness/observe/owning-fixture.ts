/** For this folder's tests: what a test makes and must be disposed of, whatever becomes of the test. */

/** To be called inside a `describe`. What the function it returns is given is disposed of after each test, last first. */
export function owning(): <T extends Disposable>(thing: T) => T {
  const owned: Disposable[] = [];
  afterEach(() => {
    for (const thing of owned.splice(0).reverse()) thing[Symbol.dispose]();
  });
  return (thing) => {
    owned.push(thing);
    return thing;
  };
}
