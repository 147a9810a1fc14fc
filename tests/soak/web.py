"""Rules for the web platform's objects: events, messages, streams, bodies, codecs, locales."""

from __future__ import annotations

from typing import Final

from tests.soak.grammar import words

RULES: Final[dict[str, list[str]]] = {
    "web": [
        *words(
            "@event @signal @message @stream @stream @stream_use @body @body @body_use @intl @intl @codec_use @url "
            "structuredClone(@value) crypto.randomUUID() queueMicrotask(@function) clearTimeout(@value)"
        ),
        "crypto.getRandomValues(new Uint8Array(@small))",
        "setTimeout(@function, @small)",
        "console.@logging(@value, @value)",
        "console.log(@quoted, @value)",
        "performance.mark(@string, {detail: @value, startTime: @number})",
        "performance.measure(@string, @value)",
        "new PerformanceObserver(@function).observe({entryTypes: ['mark', 'measure']})",
    ],
    "logging": words("log error table dir group groupEnd count time assert trace"),
    "url": [
        *words("URL.canParse(@string) [...new URLSearchParams(@string)] URL.createObjectURL(@body)"),
        "new URL(@string, 'http://h/a?b#c')",
        "new URL('http://h:81/a?b=@text#c')",
        "new URLSearchParams(@value)",
    ],
    # Events and signals.
    "event": [
        "new Event(@string, {cancelable: @boolean, bubbles: @value})",
        "new CustomEvent('x', {detail: @value})",
        "new ErrorEvent('error', @object)",
        "(t => (t.addEventListener('x', @function, {signal: @signal}), t.dispatchEvent(@event)))(@target)",
        "(t => (t.addEventListener('x', @object, @boolean), t.dispatchEvent(new Event('x')), t))(@signal)",
        "(onerror = @function)",
        "(onunhandledrejection = e => { @statement e.preventDefault() })",
        "reportError(@value)",
    ],
    "target": words("globalThis @signal @message new EventTarget()"),
    "signal": [
        *words("AbortSignal.timeout(@small) AbortSignal.abort(@value) AbortSignal.any([@signal,@signal])"),
        "new AbortController().signal",
        "(c => { c.signal.onabort = @function; c.abort(@value); return c.signal })(new AbortController())",
    ],
    "message": [
        "(c => { c.port2.onmessage = @function; c.port1.postMessage(@value); return c.port1 })(new MessageChannel())",
        "(({port1, port2}) => (port1.postMessage(@value, [port2]), port1.close()))(new MessageChannel())",
        "(b => { b.onmessage = @function; new BroadcastChannel(1).postMessage(@value) })(new BroadcastChannel('1'))",
        "structuredClone(@value, {transfer: [@transferable]})",
        "(t => structuredClone([t, @value], {transfer: [t]}))(@transferable)",
    ],
    "transferable": words(
        "@stream @buffer @value new MessageChannel().port1 new TransformStream() new WritableStream()"
    ),
    # Streams.
    "stream": [
        *words("ReadableStream.from(@iterable) @stream.tee()[0] @stream.pipeThrough(@transform) @body.body"),
        "new ReadableStream({pull(c) { c.enqueue(@value); @statement }, cancel() { @statement }}, {highWaterMark: 3})",
        "new ReadableStream({start(c) { c.enqueue(@buffer); c.close() }})",
        "new ReadableStream({type: 'bytes', autoAllocateChunkSize: @small, pull(c) { c.enqueue(@buffer) }})",
        "new ReadableStream({type: 'bytes', pull(c) { c.byobRequest?.respond(@small); c.enqueue(@buffer) }})",
        "new ReadableStream(@object, @object)",
        "new Response(@stream).body",
    ],
    "transform": [
        *words("new TextDecoderStream() new TextEncoderStream() new @codec @object"),
        "new TransformStream({transform(x, c) { c.enqueue(@value) }, flush(c) { @statement }})",
        "new TransformStream({start(c) { c.error(@value) }, cancel() { throw @value }}, {size: x => x})",
    ],
    "sink": [
        "new WritableStream({write(x, c) { v0 = x; @statement }, close() { throw @value }}, {highWaterMark: @small})",
        "new WritableStream({start(c) { c.error(@value) }, abort(r) { return @promise }})",
        "@transform.writable",
    ],
    "stream_use": [
        "@stream.getReader().read()",
        "@stream.getReader({mode: 'byob'}).read(@buffer, {min: @small})",
        "@stream.pipeTo(@sink, {signal: @signal, preventClose: @boolean})",
        "@stream.cancel(@value)",
        "@stream.tee().map(s => s.getReader().read())",
        "(async () => { for await (const x of @stream) { @statement if (n0++ > 50) break } })()",
        "(w => (w.write(@value), w.write(@buffer), w.close(), w.abort(@value), w.closed))(@sink.getWriter())",
        "(s => { s.cancel(s); return s.getReader() })(@stream)",
        "(r => { r.releaseLock(); return r.read() })(@stream.getReader())",
    ],
    "codec": [
        *words("CompressionStream('gzip') CompressionStream('deflate-raw')"),
        *words("DecompressionStream('gzip') DecompressionStream('deflate') DecompressionStream(@string)"),
    ],
    "codec_use": [
        "new TextDecoder(@encoding).decode(@buffer)",
        "(d => d.decode(@buffer, {stream: true}) + d.decode(@buffer))(new TextDecoder(@encoding))",
        "(s => (s.writable.getWriter().write(@buffer).catch(() => {}), s.readable))(new @codec)",
        "new TextEncoder().encodeInto(@string, new Uint8Array(@small))",
        "btoa(@string)",
        "atob(@string)",
    ],
    "encoding": [
        *words("'utf-8' 'utf-16le' 'utf-16be' 'latin1' 'gb18030' 'big5' 'euc-jp' 'euc-kr' 'shift_jis' @string"),
        "'utf-8', {fatal: true}",
        "'utf-8', {ignoreBOM: @value}",
    ],
    # Bodies.
    "body": [
        "new Blob([@value, @buffer, @string], {type: @string, endings: 'native'})",
        "new File([@body], @string, {lastModified: @number})",
        "new Blob([@string]).slice(@number, @small, @string)",
        "(f => (f.append(@string, @value), f.set('x', new Blob([@buffer]), @string), f))(new FormData())",
        "new Headers(@value)",
        "new Headers([[@quoted, @string], ['set-cookie', @string]])",
        "new Request('http://a/@text', {method: @quoted, body: @value, headers: @value, signal: @signal})",
        "new Request('http://a/', {method: 'POST', body: @stream, duplex: 'half'})",
        "new Response(@value, {status: @digits, headers: @value})",
        "new Response(@body)",
        "new Response(@string, {headers: {'content-type': @content_type}})",
        "Response.json(@value)",
        "@body.clone?.()",
    ],
    "content_type": words(
        "'multipart/form-data;boundary=x' 'application/x-www-form-urlencoded' 'text/plain;charset=big5' @string"
    ),
    "body_use": [
        *words("@body.text?.() @body.json?.() @body.arrayBuffer?.() @body.bytes?.() @body.formData?.() @body.blob?.()"),
        "fetch('data:text/plain;base64,@text').then(r => r.text())",
        "fetch(@string)",
        "[...(@body.entries?.() ?? [])]",
        "(r => { r.onload = @function; r.readAsDataURL(@body); return r })(new FileReader())",
    ],
    # Locales.
    "intl": [
        "new Intl.NumberFormat(@locale, @number_options).format(@value)",
        "new Intl.NumberFormat(@locale, @number_options).formatRangeToParts(@number, @bigint)",
        "new Intl.DateTimeFormat(@locale, @date_options).format(@date)",
        "new Intl.DateTimeFormat(@locale, @date_options).formatRange(@date, @number)",
        "new Intl.Collator(@locale, {sensitivity: 'base', numeric: @boolean}).compare(@string, @string)",
        "@array.sort(new Intl.Collator(@locale).compare)",
        "new Intl.ListFormat(@locale, @object).format(@iterable)",
        "new Intl.PluralRules(@locale, {type: 'ordinal'}).select(@number)",
        "new Intl.RelativeTimeFormat(@locale).format(@number, 'day')",
        "new Intl.DisplayNames(@locale, {type: 'region'}).of(@string)",
        "[...new Intl.Segmenter(@locale, {granularity: 'word'}).segment(@string)]",
        "new Intl.Locale(@locale, @object).maximize().toString()",
        "@value.toLocaleString?.(@locale, @object)",
        "@string.localeCompare(@string, @locale)",
        "Intl.getCanonicalLocales(@value)",
    ],
    "locale": words(
        "'de' 'ar-EG' 'th-TH-u-ca-buddhist-nu-thai' 'zh-Hant' 'en-u-hc-h12' 'tlh' undefined ['sv','en'] @value"
    ),
    "number_options": [
        *words("{} @object {notation:'compact'} {style:'percent'} {maximumFractionDigits:@small}"),
        "{style: 'currency', currency: 'EUR', currencyDisplay: 'name'}",
        "{style: 'unit', unit: 'kilometer-per-hour', minimumIntegerDigits: @small}",
    ],
    "date_options": [
        *words("{} @object {dateStyle:'full',timeStyle:'long'} {timeZone:@string}"),
        "{timeZone: 'America/New_York', hour: 'numeric', era: 'short', dayPeriod: 'long'}",
    ],
}
