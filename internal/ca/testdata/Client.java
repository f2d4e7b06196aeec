import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

// Client asks for addresses through a proxy, and prints a line for each: the
// answer, or why there is none.
public class Client {
	public static void main(String[] args) throws Exception {
		for (int i = 2; i < args.length; i++) {
			var proxy = ProxySelector.of(new InetSocketAddress(args[0], Integer.parseInt(args[1])));
			try {
				var request = HttpRequest.newBuilder(URI.create(args[i])).build();
				System.out.println(HttpClient.newBuilder().proxy(proxy).build().send(request, HttpResponse.BodyHandlers.ofString()).body());
			} catch (java.io.IOException e) {
				Throwable cause = e;
				while (cause.getCause() != null) {
					cause = cause.getCause();
				}
				System.out.println("refused: " + cause.toString().replace('\n', ' '));
			}
		}
	}
}
