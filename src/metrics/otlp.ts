import {
  type Context,
  defaultTextMapGetter,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { Span, Tracing } from './traces.js';

export interface OtlpTracing extends Tracing {
  /** Sends what is left. Resolves in any case. */
  close(): Promise<void>;
}

/**
 * Traces by OTLP over HTTP. Where to, how many and under which name is said by the variables of OpenTelemetry itself:
 * `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER` and their kin.
 */
export function startTracing(): OtlpTracing {
  const provider = new NodeTracerProvider({
    resource: toResource(),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('carto-wfs');
  const propagator = new W3CTraceContextPropagator();
  return {
    request(headers) {
      const parent = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
      return begin(tracer, 'request', SpanKind.SERVER, parent);
    },
    upstream: (operation, parent = ROOT_CONTEXT) =>
      begin(tracer, operation, SpanKind.CLIENT, parent as Context),
    close: () => provider.shutdown().catch(() => {}),
  };
}

/** `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` come first. */
function toResource() {
  const told = detectResources({ detectors: [envDetector] });
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'carto-wfs' }))
    .merge(told);
}

function begin(tracer: Tracer, name: string, kind: SpanKind, parent: Context): Span {
  const span: OtelSpan = tracer.startSpan(name, { kind }, parent);
  return {
    context: trace.setSpan(parent, span),
    end({ name: known, ...attributes }, fault) {
      if (known !== undefined) span.updateName(known);
      for (const [key, value] of Object.entries(attributes))
        if (value !== undefined) span.setAttribute(key, value);
      if (fault !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: fault });
      span.end();
    },
  };
}
