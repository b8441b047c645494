package io.peft4j.serve.http;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** What a client gets whose request is so malformed that no route sees it: an error object as of all others. */
final class MalformedRequestErrors extends ErrorHandler {
    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        int status = response.getStatus();
        ApiException error = ApiException.of(status, status < 500 ? "invalid_request_error" : "server_error", null,
                null, status < 500 ? "the request is malformed" : "internal error");
        write(response, callback, error);
        return true;
    }

    /** Replies with an error to a request whose body may not have been read. */
    static void write(Response response, Callback callback, ApiException error) {
        response.setStatus(error.status());
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
        // Jetty closes the connection, and a client that does not know sends its next request into nothing.
        response.getHeaders().put(HttpHeader.CONNECTION, HttpHeaderValue.CLOSE.asString());
        // A malformed request may have no path.
        String path = String.valueOf(response.getRequest().getHttpURI().getPath());
        response.write(true, ByteBuffer.wrap(Json.text(error.body(path)).getBytes(StandardCharsets.UTF_8)), callback);
    }
}
