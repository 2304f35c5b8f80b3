// WebSocket 客户端
const ws = new WebSocket('ws://localhost:8000/v1/helloworld/client-stream');

ws.onopen = () => {
    // 发送多个请求
    const requests = [
        { name: "Alice", language: "en" },
        { name: "Bob", language: "zh" },
        { name: "Charlie", language: "es" }
    ];
    
    requests.forEach(req => {
        ws.send(JSON.stringify(req));
    });
};

ws.onmessage = (event) => {
    const data = JSON.parse(event.data);
    
    if (data.type === 'response') {
        console.log('收到响应:', data.data.message);
    } else if (data.type === 'complete') {
        console.log('传输完成');
        ws.close();
    } else if (data.type === 'error') {
        console.error('错误:', data.error);
    }
};
