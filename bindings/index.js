/**
 * What the guest's globals get beyond ECMAScript, in the order of installation. This module is evaluated once, when the
 * guest is built; the heap it leaves is what every sandbox starts from.
 */

import { global } from "./primordials.js";
import { exposeAttribute, exposeInterface, exposeOperations, exposeValue } from "./webidl.js";
import { hideFunctions, operations as engineOperations } from "./engine.js";
import { console } from "./console.js";
import { operations as timerOperations } from "./timers.js";
import { Event, EventTarget, eventTargetTraits, eventTraits } from "./events.js";
import {
  CustomEvent, customEventTraits, ErrorEvent, errorEventTraits, PromiseRejectionEvent, rejectionEventTraits,
} from "./event_classes.js";
import { makeGlobalTarget } from "./global_events.js";
import { AbortController, AbortSignal, controllerTraits, signalTraits } from "./abort.js";
import { operations as cloneOperations } from "./structured_clone.js";
import {
  channelTraits, MessageChannel, MessageEvent, messageEventTraits, MessagePort, portTraits,
} from "./messaging.js";
import { BroadcastChannel, broadcastTraits } from "./broadcast.js";
import {
  CompressionStream, compressionTraits, DecompressionStream, decompressionTraits,
} from "./compression.js";
import { decoderTraits, encoderTraits, TextDecoder, TextEncoder } from "./encoding.js";
import { exposeStreams } from "./streams/index.js";
import { paramsTraits, URL, URLSearchParams, urlTraits } from "./url.js";
import { traits as patternTraits, URLPattern } from "./url_pattern.js";
import { Navigator, navigator, traits as navigatorTraits } from "./navigator.js";
import { Performance, performance, traits as performanceTraits } from "./performance.js";
import {
  entryTraits, markTraits, measureTraits, PerformanceEntry, PerformanceMark, PerformanceMeasure,
} from "./performance_entries.js";
import {
  entryListTraits, observerTraits, PerformanceObserver, PerformanceObserverEntryList,
} from "./performance_observer.js";
import { Blob, blobTraits, File, fileTraits } from "./blob.js";
import { FileList, traits as fileListTraits } from "./file_list.js";
import { ProgressEvent, traits as progressTraits } from "./progress_event.js";
import { FileReader, traits as fileReaderTraits } from "./file_reader.js";
import "./object_urls.js";
import { FormData, traits as formDataTraits } from "./form_data.js";
import { Headers, traits as headersTraits } from "./headers.js";
import { Request, traits as requestTraits } from "./request.js";
import { Response, traits as responseTraits } from "./response.js";
import { operations as fetchOperations } from "./fetch.js";
import { CloseEvent, traits as closeTraits } from "./close_event.js";
import { traits as socketTraits, WebSocket } from "./websocket.js";
import { exposeFiles } from "./files/index.js";
import { operations as serveOperations } from "./serve.js";
import "./testing.js";
import "./browser/index.js";
import "./iterators.js";
import "./objects.js";
import "./module_graph.js";
import "./session.js";
import { Crypto, crypto, traits as cryptoTraits } from "./random.js";
import { CryptoKey, traits as cryptoKeyTraits } from "./crypto/key.js";
import { SubtleCrypto, traits as subtleTraits } from "./crypto.js";
import { Intl } from "./intl_install.js";

hideFunctions();
makeGlobalTarget();
exposeAttribute("self", global, { replaceable: true });
exposeOperations(engineOperations);
exposeValue("console", console);
exposeOperations(timerOperations);
exposeInterface(Event, eventTraits);
exposeInterface(CustomEvent, customEventTraits);
exposeInterface(ErrorEvent, errorEventTraits);
exposeInterface(PromiseRejectionEvent, rejectionEventTraits);
exposeInterface(EventTarget, eventTargetTraits);
exposeInterface(AbortSignal, signalTraits);
exposeInterface(AbortController, controllerTraits);
exposeOperations(cloneOperations);
exposeInterface(MessageEvent, messageEventTraits);
exposeInterface(MessagePort, portTraits);
exposeInterface(MessageChannel, channelTraits);
exposeInterface(BroadcastChannel, broadcastTraits);
exposeInterface(TextEncoder, encoderTraits);
exposeInterface(TextDecoder, decoderTraits);
exposeStreams();
exposeInterface(CompressionStream, compressionTraits);
exposeInterface(DecompressionStream, decompressionTraits);
exposeInterface(URL, urlTraits);
exposeInterface(URLSearchParams, paramsTraits);
exposeInterface(URLPattern, patternTraits);
exposeInterface(Blob, blobTraits);
exposeInterface(File, fileTraits);
exposeInterface(FileList, fileListTraits);
exposeInterface(ProgressEvent, progressTraits);
exposeInterface(FileReader, fileReaderTraits);
exposeInterface(FormData, formDataTraits);
exposeInterface(Headers, headersTraits);
exposeInterface(Request, requestTraits);
exposeInterface(Response, responseTraits);
exposeOperations(fetchOperations);
exposeInterface(CloseEvent, closeTraits);
exposeInterface(WebSocket, socketTraits);
exposeFiles();
exposeOperations(serveOperations);
exposeInterface(Navigator, navigatorTraits);
exposeAttribute("navigator", navigator);
exposeInterface(Performance, performanceTraits);
exposeInterface(PerformanceEntry, entryTraits);
exposeInterface(PerformanceMark, markTraits);
exposeInterface(PerformanceMeasure, measureTraits);
exposeInterface(PerformanceObserver, observerTraits);
exposeInterface(PerformanceObserverEntryList, entryListTraits);
exposeAttribute("performance", performance, { replaceable: true });
exposeInterface(Crypto, cryptoTraits);
exposeInterface(SubtleCrypto, subtleTraits);
exposeInterface(CryptoKey, cryptoKeyTraits);
exposeAttribute("crypto", crypto);
exposeValue("Intl", Intl);
