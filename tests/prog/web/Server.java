// The paths of the request tests by the JDK's HttpServer.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

public class Server {
	static void answer(HttpExchange x) throws IOException {
		x.getRequestBody().readAllBytes();
		String[] parts = x.getRequestURI().getPath().split("/");
		int n = Integer.parseInt(parts[2]);
		boolean status = parts[1].equals("status"), head = x.getRequestMethod().equals("HEAD");
		// -1: no body; 0: chunked
		x.sendResponseHeaders(status ? n : 200, status || head || n == 0 ? -1 : parts[1].equals("chunked") ? 0 : n);
		if (!status && !head && n > 0)
			for (int at = 0; at < n; at += 700)
				x.getResponseBody().write("x".repeat(Math.min(700, n - at)).getBytes());
		x.close();
	}

	public static void main(String[] words) throws IOException {
		HttpServer s = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
		s.createContext("/", Server::answer);
		s.setExecutor(Executors.newFixedThreadPool(4));
		s.start();
		System.out.println(s.getAddress().getPort());
	}
}
