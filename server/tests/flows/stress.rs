use std::time::{Duration, Instant};
use reqwest::{Method, header::ACCEPT};
use crate::support::Stack;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_never_hang() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, "contoso.example").await;
    let waits = stack.signed_in(&stack.accounts.engineer()).await;
    let paths = [
        (waits.clone(), "/waiting".to_owned()),
        (owner.clone(), "/customers".to_owned()),
        (owner.clone(), "/account".to_owned()),
        (owner.clone(), format!("/customers/{customer}/history")),
        (owner.clone(), "/running".to_owned()),
    ];
    let began = Instant::now();
    let mut tasks = Vec::new();
    for n in 0..10 {
        let (browser, path) = paths[n % 5].clone();
        tasks.push(tokio::spawn(async move {
            let mut slow = Vec::new();
            let mut count = 0;
            while began.elapsed() < Duration::from_secs(100) {
                let at = Instant::now();
                let request = browser.bare(Method::GET, &path).header(ACCEPT, "text/html").send();
                let hung = match tokio::time::timeout(Duration::from_secs(8), async { request.await.unwrap().bytes().await.unwrap() }).await {
                    Ok(_) => at.elapsed() > Duration::from_secs(4),
                    Err(_) => true,
                };
                if hung { slow.push(path.clone()); }
                count += 1;
            }
            (count, slow)
        }));
    }
    let mut all = 0;
    let mut slow = Vec::new();
    for task in tasks {
        let (count, hung) = task.await.unwrap();
        all += count;
        slow.extend(hung);
    }
    println!("{all} pages, hung: {slow:?}");
    assert!(slow.is_empty());
}
