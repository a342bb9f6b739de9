// The real rules for proxy variables: reads one JSON question per line, and writes one JSON answer per line.
package main

import (
	"bufio"
	"encoding/json"
	"net/url"
	"os"

	"golang.org/x/net/http/httpproxy"
)

type question struct {
	HTTP, HTTPS, No, URL string
	CGI                  bool
}

type answer struct {
	Scheme, Host, Port, User, Password    string
	Direct, HasUser, HasPassword, BadURL, Refused bool
}

func ask(q question) answer {
	target, err := url.Parse(q.URL)
	if err != nil {
		return answer{BadURL: true}
	}
	config := httpproxy.Config{HTTPProxy: q.HTTP, HTTPSProxy: q.HTTPS, NoProxy: q.No, CGI: q.CGI}
	proxy, err := config.ProxyFunc()(target)
	if err != nil {
		return answer{Refused: true}
	}
	if proxy == nil {
		return answer{Direct: true}
	}
	password, has := proxy.User.Password()
	return answer{Scheme: proxy.Scheme, Host: proxy.Hostname(), Port: proxy.Port(),
		User: proxy.User.Username(), Password: password, HasUser: proxy.User != nil, HasPassword: has}
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			panic(err)
		}
		if err := out.Encode(ask(q)); err != nil {
			panic(err)
		}
	}
}
