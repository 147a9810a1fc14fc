/**
 * Pages of a browser, where the embedder grants them: the module `sandbox:browser` and the globals `page`, `context` and
 * `browser`. It stands beside `sandbox.d.ts` and `test.d.ts`. Functions for `evaluate` run in the page, and are written for it.
 */

declare module "sandbox:browser" {
  interface TimeoutOption {
    /** In milliseconds; the grant has an upper bound. */
    timeout?: number;
  }
  type LoadState = "load" | "domcontentloaded" | "networkidle" | "commit";
  interface NavigationOptions extends TimeoutOption {
    waitUntil?: LoadState;
  }
  interface Point { x: number; y: number }
  interface Size { width: number; height: number }
  type Modifier = "Alt" | "Control" | "ControlOrMeta" | "Meta" | "Shift";
  type MouseButton = "left" | "middle" | "right";

  interface ForceOptions extends TimeoutOption {
    /** Without waiting until it can be acted upon. */
    force?: boolean;
    noWaitAfter?: boolean;
  }
  interface CheckOptions extends ForceOptions {
    position?: Point;
    /** Wait until it could be done, and do not do it. */
    trial?: boolean;
  }
  interface HoverOptions extends CheckOptions {
    modifiers?: Modifier[];
  }
  interface DoubleClickOptions extends HoverOptions {
    button?: MouseButton;
    delay?: number;
  }
  interface ClickOptions extends DoubleClickOptions {
    clickCount?: number;
  }
  interface TypeOptions extends TimeoutOption {
    /** Milliseconds between two keys. */
    delay?: number;
    noWaitAfter?: boolean;
  }
  interface WaitOptions extends TimeoutOption {
    state?: "attached" | "detached" | "visible" | "hidden";
  }
  interface ScreenshotOptions extends TimeoutOption {
    /** A path in the program's files, which gets the picture as well. */
    path?: string;
    type?: "png" | "jpeg";
    quality?: number;
    omitBackground?: boolean;
    animations?: "disabled" | "allow";
    caret?: "hide" | "initial";
    scale?: "css" | "device";
  }
  interface PageScreenshotOptions extends ScreenshotOptions {
    fullPage?: boolean;
    clip?: Point & Size;
  }
  interface PdfOptions {
    path?: string;
    format?: string;
    landscape?: boolean;
    printBackground?: boolean;
    pageRanges?: string;
    width?: string;
    height?: string;
  }

  type Text = string | RegExp;
  interface ExactOption {
    exact?: boolean;
  }
  interface RoleOptions extends ExactOption {
    name?: Text;
    checked?: boolean;
    disabled?: boolean;
    expanded?: boolean;
    includeHidden?: boolean;
    level?: number;
    pressed?: boolean;
    selected?: boolean;
  }
  interface FilterOptions {
    has?: Locator;
    hasNot?: Locator;
    hasText?: Text;
    hasNotText?: Text;
    visible?: boolean;
  }

  /** Ways to find elements by what users see. */
  interface Finders {
    getByRole(role: string, options?: RoleOptions): Locator;
    getByText(text: Text, options?: ExactOption): Locator;
    getByLabel(text: Text, options?: ExactOption): Locator;
    getByPlaceholder(text: Text, options?: ExactOption): Locator;
    getByAltText(text: Text, options?: ExactOption): Locator;
    getByTitle(text: Text, options?: ExactOption): Locator;
    getByTestId(id: Text): Locator;
    locator(selector: string | Locator, options?: FilterOptions): Locator;
    frameLocator(selector: string): FrameLocator;
  }

  /** A path in the program's files, a file, or what one is made of. */
  type InputFile = string | File | Blob | { name: string; mimeType?: string; buffer: BufferSource };
  type SelectValue = string | { value?: string; label?: string };

  /** A description of elements, which are looked for when something is done with them. */
  interface Locator extends Finders {
    filter(options?: FilterOptions): Locator;
    and(other: Locator): Locator;
    or(other: Locator): Locator;
    first(): Locator;
    last(): Locator;
    nth(index: number): Locator;
    all(): Promise<Locator[]>;
    count(): Promise<number>;
    contentFrame(): FrameLocator;
    click(options?: ClickOptions): Promise<void>;
    dblclick(options?: DoubleClickOptions): Promise<void>;
    hover(options?: HoverOptions): Promise<void>;
    tap(options?: HoverOptions): Promise<void>;
    check(options?: CheckOptions): Promise<void>;
    uncheck(options?: CheckOptions): Promise<void>;
    setChecked(checked: boolean, options?: CheckOptions): Promise<void>;
    fill(text: string, options?: ForceOptions): Promise<void>;
    clear(options?: ForceOptions): Promise<void>;
    type(text: string, options?: TypeOptions): Promise<void>;
    pressSequentially(text: string, options?: TypeOptions): Promise<void>;
    press(key: string, options?: TypeOptions): Promise<void>;
    focus(options?: TimeoutOption): Promise<void>;
    blur(options?: TimeoutOption): Promise<void>;
    selectText(options?: ForceOptions): Promise<void>;
    scrollIntoViewIfNeeded(options?: TimeoutOption): Promise<void>;
    selectOption(values: SelectValue | readonly SelectValue[], options?: ForceOptions): Promise<string[]>;
    setInputFiles(files: InputFile | readonly InputFile[], options?: TypeOptions): Promise<void>;
    dispatchEvent(type: string, init?: object, options?: TimeoutOption): Promise<void>;
    waitFor(options?: WaitOptions): Promise<void>;
    screenshot(options?: ScreenshotOptions): Promise<Uint8Array>;
    evaluate<T = any>(code: string | ((element: any, argument: any) => T), argument?: unknown, options?: TimeoutOption): Promise<T>;
    evaluateAll<T = any>(code: string | ((elements: any[], argument: any) => T), argument?: unknown): Promise<T>;
    boundingBox(options?: TimeoutOption): Promise<(Point & Size) | null>;
    textContent(options?: TimeoutOption): Promise<string | null>;
    innerText(options?: TimeoutOption): Promise<string>;
    innerHTML(options?: TimeoutOption): Promise<string>;
    inputValue(options?: TimeoutOption): Promise<string>;
    getAttribute(name: string, options?: TimeoutOption): Promise<string | null>;
    allTextContents(): Promise<string[]>;
    allInnerTexts(): Promise<string[]>;
    isVisible(): Promise<boolean>;
    isHidden(): Promise<boolean>;
    isEnabled(options?: TimeoutOption): Promise<boolean>;
    isDisabled(options?: TimeoutOption): Promise<boolean>;
    isEditable(options?: TimeoutOption): Promise<boolean>;
    isChecked(options?: TimeoutOption): Promise<boolean>;
    ariaSnapshot(options?: TimeoutOption): Promise<string>;
  }

  /** Elements in a frame. */
  interface FrameLocator extends Finders {
    first(): FrameLocator;
    last(): FrameLocator;
    nth(index: number): FrameLocator;
  }

  interface Request {
    url(): string;
    method(): string;
    headers(): Record<string, string>;
    postData(): string | null;
    resourceType(): string;
    failure(): { errorText: string } | null;
  }
  interface Response {
    url(): string;
    status(): number;
    statusText(): string;
    ok(): boolean;
    headers(): Record<string, string>;
    headerValue(name: string): Promise<string | null>;
    allHeaders(): Promise<Record<string, string>>;
    request(): Request;
    body(): Promise<Uint8Array>;
    text(): Promise<string>;
    json(): Promise<any>;
  }
  interface Route {
    request(): Request;
    abort(reason?: string): Promise<void>;
    continue(options?: { url?: string; method?: string; headers?: Record<string, string>; postData?: any }): Promise<void>;
    fallback(options?: { url?: string; method?: string; headers?: Record<string, string>; postData?: any }): Promise<void>;
    fulfill(options?: {
      status?: number; headers?: Record<string, string>; contentType?: string; body?: string | Uint8Array; json?: unknown;
      /** In the program's files. */
      path?: string;
    }): Promise<void>;
  }
  interface ConsoleMessage {
    type(): string;
    text(): string;
    location(): { url: string; lineNumber: number; columnNumber: number };
  }
  interface Dialog {
    type(): string;
    message(): string;
    defaultValue(): string;
    accept(text?: string): Promise<void>;
    dismiss(): Promise<void>;
  }
  interface Download {
    url(): string;
    suggestedFilename(): string;
    bytes(): Promise<Uint8Array>;
    /** To a path in the program's files. */
    saveAs(path: string): Promise<void>;
    cancel(): Promise<void>;
  }

  interface PageEvents {
    console: ConsoleMessage;
    pageerror: Error;
    request: Request;
    requestfinished: Request;
    requestfailed: Request;
    response: Response;
    dialog: Dialog;
    download: Download;
    load: Page;
    domcontentloaded: Page;
    framenavigated: any;
    close: Page;
    page: Page;
  }
  /** Listeners, waits and routes of a page, or of all of a context. */
  interface Listening {
    on<K extends keyof PageEvents>(event: K, listener: (thing: PageEvents[K]) => unknown): this;
    once<K extends keyof PageEvents>(event: K, listener: (thing: PageEvents[K]) => unknown): this;
    off<K extends keyof PageEvents>(event: K, listener: (thing: PageEvents[K]) => unknown): this;
    waitForEvent<K extends keyof PageEvents>(
      event: K, options?: ((thing: PageEvents[K]) => unknown) | (TimeoutOption & { predicate?: (thing: PageEvents[K]) => unknown }),
    ): Promise<PageEvents[K]>;
    /** A glob, a pattern, or a function of a URL. */
    route(pattern: UrlPattern, handler: (route: Route, request: Request) => unknown): Promise<void>;
    unroute(pattern: UrlPattern, handler?: (route: Route, request: Request) => unknown): Promise<void>;
    addInitScript(code: string | ((argument: any) => unknown), argument?: unknown): Promise<void>;
    setExtraHTTPHeaders(headers: Record<string, string>): Promise<void>;
  }
  type UrlPattern = string | RegExp | ((url: URL) => unknown);

  interface Keyboard {
    press(key: string, options?: { delay?: number }): Promise<void>;
    type(text: string, options?: { delay?: number }): Promise<void>;
    insertText(text: string): Promise<void>;
    down(key: string): Promise<void>;
    up(key: string): Promise<void>;
  }
  interface Mouse {
    move(x: number, y: number, options?: { steps?: number }): Promise<void>;
    click(x: number, y: number, options?: { button?: MouseButton; clickCount?: number; delay?: number }): Promise<void>;
    dblclick(x: number, y: number, options?: { button?: MouseButton; delay?: number }): Promise<void>;
    down(options?: { button?: MouseButton; clickCount?: number }): Promise<void>;
    up(options?: { button?: MouseButton; clickCount?: number }): Promise<void>;
    wheel(deltaX: number, deltaY: number): Promise<void>;
  }

  /** The actions of a locator, with a selector first. */
  type Shortcuts = {
    [K in
      | "click" | "dblclick" | "hover" | "tap" | "check" | "uncheck" | "setChecked" | "fill" | "clear" | "type"
      | "pressSequentially" | "press" | "focus" | "blur" | "selectText" | "scrollIntoViewIfNeeded" | "waitFor" | "count"
      | "boundingBox" | "textContent" | "innerText" | "innerHTML" | "inputValue" | "getAttribute" | "allTextContents"
      | "allInnerTexts" | "isVisible" | "isHidden" | "isEnabled" | "isDisabled" | "isEditable" | "isChecked" | "ariaSnapshot"
      | "setInputFiles" | "selectOption" | "dispatchEvent"
    ]: (selector: string, ...args: Parameters<Locator[K]>) => ReturnType<Locator[K]>;
  };

  interface Page extends Finders, Listening, Shortcuts {
    readonly keyboard: Keyboard;
    readonly mouse: Mouse;
    context(): BrowserContext;
    url(): string;
    isClosed(): boolean;
    viewportSize(): Size | null;
    title(): Promise<string>;
    content(): Promise<string>;
    goto(url: string, options?: NavigationOptions & { referer?: string }): Promise<Response | null>;
    reload(options?: NavigationOptions): Promise<Response | null>;
    goBack(options?: NavigationOptions): Promise<Response | null>;
    goForward(options?: NavigationOptions): Promise<Response | null>;
    setContent(html: string, options?: NavigationOptions): Promise<void>;
    evaluate<T = any>(code: string | ((argument: any) => T), argument?: unknown): Promise<T>;
    screenshot(options?: PageScreenshotOptions): Promise<Uint8Array>;
    pdf(options?: PdfOptions): Promise<Uint8Array>;
    setViewportSize(size: Size): Promise<void>;
    emulateMedia(options?: {
      media?: "screen" | "print"; colorScheme?: "light" | "dark" | "no-preference";
      reducedMotion?: "reduce" | "no-preference"; forcedColors?: "active" | "none";
    }): Promise<void>;
    bringToFront(): Promise<void>;
    close(): Promise<void>;
    waitForSelector(selector: string, options?: WaitOptions): Promise<Locator | null>;
    waitForURL(url: UrlPattern, options?: NavigationOptions): Promise<void>;
    waitForLoadState(state?: LoadState, options?: TimeoutOption): Promise<void>;
    waitForFunction<T = any>(code: string | ((argument: any) => T), argument?: unknown, options?: TimeoutOption): Promise<T>;
    waitForTimeout(ms: number): Promise<void>;
    waitForRequest(pattern: string | RegExp | ((request: Request) => unknown), options?: TimeoutOption): Promise<Request>;
    waitForResponse(pattern: string | RegExp | ((response: Response) => unknown), options?: TimeoutOption): Promise<Response>;
  }

  interface Cookie {
    name: string;
    value: string;
    url?: string;
    domain?: string;
    path?: string;
    expires?: number;
    httpOnly?: boolean;
    secure?: boolean;
    sameSite?: "Strict" | "Lax" | "None";
  }
  interface StorageState {
    cookies: Cookie[];
    origins: { origin: string; localStorage: { name: string; value: string }[] }[];
  }
  interface BrowserContext extends Listening {
    browser(): Browser;
    newPage(): Promise<Page>;
    close(): Promise<void>;
    pages(): Page[];
    cookies(urls?: string | readonly string[]): Promise<Cookie[]>;
    addCookies(cookies: readonly Cookie[]): Promise<void>;
    clearCookies(): Promise<void>;
    storageState(options?: { path?: string }): Promise<StorageState>;
    setOffline(offline: boolean): Promise<void>;
  }

  interface ContextOptions {
    baseURL?: string;
    colorScheme?: "light" | "dark" | "no-preference";
    deviceScaleFactor?: number;
    extraHTTPHeaders?: Record<string, string>;
    forcedColors?: "active" | "none";
    hasTouch?: boolean;
    isMobile?: boolean;
    javaScriptEnabled?: boolean;
    locale?: string;
    offline?: boolean;
    reducedMotion?: "reduce" | "no-preference";
    /** What another context has stored, or a path in the program's files where that is. */
    storageState?: StorageState | string;
    timezoneId?: string;
    userAgent?: string;
    viewport?: Size;
  }
  interface Browser {
    /** Cookies and storage of its own. */
    newContext(options?: ContextOptions): Promise<BrowserContext>;
    newPage(options?: ContextOptions): Promise<Page>;
    contexts(): BrowserContext[];
  }

  /** The page that a program finds. */
  export const page: Page;
  export const context: BrowserContext;
  export const browser: Browser;
  export const expect: typeof import("sandbox:test").expect;
}

declare module "sandbox:test" {
  interface Fixtures {
    page: import("sandbox:browser").Page;
    context: import("sandbox:browser").BrowserContext;
    browser: import("sandbox:browser").Browser;
  }

  interface WaitOption {
    /** In milliseconds; 5,000 if nothing is said. */
    timeout?: number;
  }
  interface CaseOption extends WaitOption {
    ignoreCase?: boolean;
  }
  interface TextOptions extends CaseOption {
    useInnerText?: boolean;
  }
  type Words = string | RegExp | readonly (string | RegExp)[];

  /** Of locators and pages: they wait until they hold, so await them. */
  interface Matchers<R = void> {
    toBeAttached(options?: WaitOption & { attached?: boolean }): Promise<void>;
    toBeChecked(options?: WaitOption & { checked?: boolean; indeterminate?: boolean }): Promise<void>;
    toBeDisabled(options?: WaitOption): Promise<void>;
    toBeEditable(options?: WaitOption & { editable?: boolean }): Promise<void>;
    toBeEmpty(options?: WaitOption): Promise<void>;
    toBeEnabled(options?: WaitOption & { enabled?: boolean }): Promise<void>;
    toBeFocused(options?: WaitOption): Promise<void>;
    toBeHidden(options?: WaitOption): Promise<void>;
    toBeInViewport(options?: WaitOption & { ratio?: number }): Promise<void>;
    toBeVisible(options?: WaitOption & { visible?: boolean }): Promise<void>;
    toContainClass(expected: string | readonly string[], options?: WaitOption): Promise<void>;
    toContainText(expected: Words, options?: TextOptions): Promise<void>;
    toHaveAccessibleDescription(expected: string | RegExp, options?: CaseOption): Promise<void>;
    toHaveAccessibleName(expected: string | RegExp, options?: CaseOption): Promise<void>;
    toHaveAttribute(name: string, options?: CaseOption): Promise<void>;
    toHaveAttribute(name: string, value: string | RegExp, options?: CaseOption): Promise<void>;
    toHaveClass(expected: Words, options?: WaitOption): Promise<void>;
    toHaveCount(count: number, options?: WaitOption): Promise<void>;
    toHaveCSS(name: string, value: string | RegExp, options?: WaitOption): Promise<void>;
    toHaveId(id: string | RegExp, options?: WaitOption): Promise<void>;
    toHaveJSProperty(name: string, value: unknown, options?: WaitOption): Promise<void>;
    toHaveRole(role: string, options?: WaitOption): Promise<void>;
    toHaveText(expected: Words, options?: TextOptions): Promise<void>;
    toHaveValue(value: string | RegExp, options?: WaitOption): Promise<void>;
    toHaveValues(values: readonly (string | RegExp)[], options?: WaitOption): Promise<void>;
    toHaveTitle(title: string | RegExp, options?: WaitOption): Promise<void>;
    toHaveURL(url: string | RegExp | ((url: string) => unknown), options?: CaseOption): Promise<void>;
  }
}

declare var page: import("sandbox:browser").Page;
declare var context: import("sandbox:browser").BrowserContext;
declare var browser: import("sandbox:browser").Browser;
