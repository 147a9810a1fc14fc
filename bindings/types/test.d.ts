/**
 * The test environment: what `sandbox test` and `sandbox.testing` give to files of tests, as the module `sandbox:test` and as
 * globals. It stands beside `sandbox.d.ts`.
 */

declare module "sandbox:test" {
  /** What tests get that take their first argument apart; `browser.d.ts` says more of it. */
  interface Fixtures {}

  interface TestOptions {
    /** In milliseconds. */
    timeout?: number;
    /** How often a test that fails is tried again. */
    retry?: number;
    concurrent?: boolean;
    skip?: boolean;
    only?: boolean;
    todo?: boolean;
    /** It is right when it fails. */
    fails?: boolean;
  }

  type TestName = string | number | Function;
  type TestBody<Args extends any[] = [Fixtures]> = (...args: Args) => unknown;

  /** Declares a test or a suite; body and options may come in either order, a number is a timeout in milliseconds. */
  interface Declare<Args extends any[]> {
    (name: TestName, body?: TestBody<Args>, options?: number | TestOptions): void;
    (name: TestName, options: TestOptions, body?: TestBody<Args>): void;
  }

  /** One for each row: `%s %d %i %f %j %o %p %# %$` and `$name` in the name are its values. */
  interface Each {
    <Row extends readonly any[]>(table: readonly Row[]): Declare<[...Row]>;
    <Row>(table: readonly Row[]): Declare<[Row]>;
    (heading: TemplateStringsArray, ...values: any[]): Declare<[any]>;
  }

  interface Suite extends Declare<[]> {
    readonly skip: Suite;
    readonly only: Suite;
    readonly todo: Suite;
    /** Its tests may run at the same time. */
    readonly concurrent: Suite;
    readonly each: Each;
    skipIf(condition: unknown): Suite;
    runIf(condition: unknown): Suite;
  }

  interface Test extends Declare<[Fixtures]> {
    readonly skip: Test;
    readonly only: Test;
    readonly todo: Test;
    readonly concurrent: Test;
    readonly failing: Test;
    readonly fails: Test;
    readonly each: Each;
    skipIf(condition: unknown): Test;
    runIf(condition: unknown): Test;
  }

  type Hook = (body: TestBody, timeout?: number) => void;

  /** What stands for many values in a comparison. */
  interface AsymmetricMatcher {
    asymmetricMatch(value: unknown): boolean;
  }

  interface AsymmetricMatchers {
    objectContaining(sample: object): any;
    arrayContaining(sample: readonly unknown[]): any;
    arrayOf(sample: unknown): any;
    stringContaining(text: string): any;
    stringMatching(pattern: string | RegExp): any;
    closeTo(number: number, digits?: number): any;
  }

  /** `R` is what a matcher gives: nothing, or a promise after `resolves` and `rejects`. */
  interface Matchers<R = void> {
    /** The same value, as `Object.is` says. */
    toBe(expected: unknown): R;
    /** The same contents; properties that are undefined count as missing. */
    toEqual(expected: unknown): R;
    toStrictEqual(expected: unknown): R;
    toMatchObject(expected: object): R;
    toBeTruthy(): R;
    toBeFalsy(): R;
    toBeNull(): R;
    toBeUndefined(): R;
    toBeDefined(): R;
    /** null or undefined. */
    toBeNullable(): R;
    toBeNaN(): R;
    toBeGreaterThan(expected: number | bigint): R;
    toBeGreaterThanOrEqual(expected: number | bigint): R;
    toBeLessThan(expected: number | bigint): R;
    toBeLessThanOrEqual(expected: number | bigint): R;
    toBeCloseTo(expected: number, digits?: number): R;
    toBeInstanceOf(expected: abstract new (...args: any[]) => any): R;
    toBeTypeOf(expected: "bigint" | "boolean" | "function" | "number" | "object" | "string" | "symbol" | "undefined"): R;
    toBeOneOf(expected: Iterable<unknown>): R;
    toSatisfy(predicate: (value: any) => unknown): R;
    toContain(expected: unknown): R;
    toContainEqual(expected: unknown): R;
    toHaveLength(expected: number): R;
    /** A path such as `a.b[0]`, or its keys. */
    toHaveProperty(path: string | readonly PropertyKey[], value?: unknown): R;
    toMatch(expected: string | RegExp): R;
    /** A part of the message, a pattern of it, a class, an error with the message, or a matcher. */
    toThrow(expected?: unknown): R;
    toThrowError(expected?: unknown): R;
    toHaveBeenCalled(): R;
    toHaveBeenCalledOnce(): R;
    toHaveBeenCalledTimes(count: number): R;
    toHaveBeenCalledWith(...args: unknown[]): R;
    toHaveBeenLastCalledWith(...args: unknown[]): R;
    /** Calls are counted from 1. */
    toHaveBeenNthCalledWith(n: number, ...args: unknown[]): R;
    toHaveReturned(): R;
    toHaveReturnedTimes(count: number): R;
    toHaveReturnedWith(value: unknown): R;
    toHaveLastReturnedWith(value: unknown): R;
    toHaveNthReturnedWith(n: number, value: unknown): R;
    toMatchSnapshot(hint?: string): R;
    toMatchSnapshot(properties: object, hint?: string): R;
    toMatchInlineSnapshot(snapshot?: string): R;
    toMatchInlineSnapshot(properties: object, snapshot?: string): R;
    toThrowErrorMatchingSnapshot(hint?: string): R;
    toThrowErrorMatchingInlineSnapshot(snapshot?: string): R;
  }

  interface Assertion<R = void> extends Matchers<R> {
    readonly not: Assertion<R>;
    readonly resolves: Assertion<Promise<void>>;
    readonly rejects: Assertion<Promise<void>>;
  }

  interface MatcherContext {
    readonly isNot: boolean;
    readonly promise: "" | "resolves" | "rejects";
    readonly currentTestName: string;
    equals(a: unknown, b: unknown): boolean;
    readonly utils: {
      stringify(value: unknown): string;
      printReceived(value: unknown): string;
      printExpected(value: unknown): string;
      matcherHint(name: string, received?: string, expected?: string, options?: { isNot?: boolean }): string;
    };
  }
  interface MatcherResult {
    pass: boolean;
    message?: string | (() => string);
  }
  type Matcher = (this: MatcherContext, received: any, ...expected: any[]) => MatcherResult | Promise<MatcherResult>;

  interface Expect extends AsymmetricMatchers {
    (value: unknown): Assertion;
    any(type: Function): any;
    /** Whatever is neither null nor undefined. */
    anything(): any;
    readonly not: AsymmetricMatchers;
    /** Like `expect`; a failure is noted, and the test goes on. */
    soft(value: unknown): Assertion;
    extend(matchers: Record<string, Matcher>): void;
    assertions(count: number): void;
    hasAssertions(): void;
    unreachable(message?: string): never;
    getState(): { currentTestName: string; assertionCalls: number };
  }

  interface MockResult<T = any> {
    readonly type: "return" | "throw" | "incomplete";
    readonly value: T;
  }
  interface MockCalls<F extends (...args: any[]) => any = (...args: any[]) => any> {
    readonly calls: Parameters<F>[];
    readonly lastCall: Parameters<F> | undefined;
    readonly results: MockResult<ReturnType<F>>[];
    readonly contexts: any[];
    readonly instances: any[];
    readonly invocationCallOrder: number[];
  }
  /** A function that notes its calls. */
  interface Mock<F extends (...args: any[]) => any = (...args: any[]) => any> {
    (...args: Parameters<F>): ReturnType<F>;
    new (...args: Parameters<F>): any;
    readonly mock: MockCalls<F>;
    mockImplementation(implementation: F): this;
    mockImplementationOnce(implementation: F): this;
    mockReturnValue(value: ReturnType<F>): this;
    mockReturnValueOnce(value: ReturnType<F>): this;
    mockReturnThis(): this;
    mockResolvedValue(value: Awaited<ReturnType<F>>): this;
    mockResolvedValueOnce(value: Awaited<ReturnType<F>>): this;
    mockRejectedValue(value: unknown): this;
    mockRejectedValueOnce(value: unknown): this;
    mockThrow(error: unknown): this;
    mockThrowOnce(error: unknown): this;
    mockName(name: string): this;
    getMockName(): string;
    getMockImplementation(): F | undefined;
    /** Forget the calls. */
    mockClear(): this;
    /** The same, and what it was told to do. */
    mockReset(): this;
    /** The same, and put back what a spy stands for. */
    mockRestore(): this;
    withImplementation(implementation: F, callback: () => unknown): undefined | Promise<undefined>;
  }

  interface FakeTimerOptions {
    now?: number | Date;
    /** Which are replaced; all, if nothing is said. */
    toFake?: ("setTimeout" | "setInterval" | "clearTimeout" | "clearInterval" | "Date" | "performance")[];
  }

  /** Mocks of functions and of time; also as `vi` and `jest`. */
  interface MockControls {
    fn: typeof fn;
    spyOn: typeof spyOn;
    isMockFunction(value: unknown): value is Mock;
    clearAllMocks(): void;
    resetAllMocks(): void;
    restoreAllMocks(): void;
    useFakeTimers(options?: FakeTimerOptions): void;
    useRealTimers(): void;
    isFakeTimers(): boolean;
    advanceTimersByTime(ms: number): void;
    advanceTimersByTimeAsync(ms: number): Promise<void>;
    runAllTimers(): void;
    runAllTimersAsync(): Promise<void>;
    runOnlyPendingTimers(): void;
    runOnlyPendingTimersAsync(): Promise<void>;
    advanceTimersToNextTimer(steps?: number): void;
    advanceTimersToNextTimerAsync(steps?: number): Promise<void>;
    getTimerCount(): number;
    clearAllTimers(): void;
    setSystemTime(value?: number | Date): void;
    getMockedSystemTime(): Date | null;
    getRealSystemTime(): number;
  }

  export const describe: Suite;
  export const suite: Suite;
  export const test: Test;
  export const it: Test;
  export const expect: Expect;
  export function fn<F extends (...args: any[]) => any>(implementation?: F): Mock<F>;
  /** Put a mock in the place of a method, or of one half of an accessor; it calls the original until it is told otherwise. */
  export function spyOn<T extends object, K extends keyof T>(
    object: T, key: K,
  ): T[K] extends (...args: any[]) => any ? Mock<T[K]> : Mock;
  export function spyOn<T extends object, K extends keyof T>(object: T, key: K, access: "get" | "set"): Mock;
  export const mock: MockControls;
  export const vi: MockControls;
  export const jest: MockControls;
  export const beforeAll: Hook;
  export const afterAll: Hook;
  export const beforeEach: Hook;
  export const afterEach: Hook;
  export const before: Hook;
  export const after: Hook;
}

declare var describe: typeof import("sandbox:test").describe;
declare var suite: typeof import("sandbox:test").suite;
declare var test: typeof import("sandbox:test").test;
declare var it: typeof import("sandbox:test").it;
declare var expect: typeof import("sandbox:test").expect;
declare var fn: typeof import("sandbox:test").fn;
declare var spyOn: typeof import("sandbox:test").spyOn;
declare var mock: typeof import("sandbox:test").mock;
declare var vi: typeof import("sandbox:test").vi;
declare var jest: typeof import("sandbox:test").jest;
declare var beforeAll: typeof import("sandbox:test").beforeAll;
declare var afterAll: typeof import("sandbox:test").afterAll;
declare var beforeEach: typeof import("sandbox:test").beforeEach;
declare var afterEach: typeof import("sandbox:test").afterEach;
declare var before: typeof import("sandbox:test").before;
declare var after: typeof import("sandbox:test").after;
